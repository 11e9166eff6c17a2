import type { Transition } from './case-figures.js';

/** Of a log with more activities, the most frequent are drawn. */
const maxActivities = 40;

const cell = 30;
/** Letters are a little more than half as wide as they are high. */
const letter = 6.6;
const longestLabel = 32;

/**
 * Draws how often which activity (a row) was followed by which (a column), as SVG with a ground of its own. The darker a
 * cell, the more; the scale is logarithmic, since a few transitions are most.
 */
export function drawTransitions(title: string, transitions: readonly Transition[]): string {
  const all = orderActivities(transitions);
  const activities = all.slice(0, maxActivities);
  const place = new Map(activities.map((activity, index) => [activity, index]));
  const labels = activities.map((activity) => shorten(activity));
  const margin = Math.ceil(Math.max(...labels.map(({ length }) => length), 8) * letter) + 16;
  const [left, top] = [margin, margin + 56];
  const side = activities.length * cell;
  const [width, height] = [Math.max(left + side + 24, 480), top + side + 40];
  const most = transitions.reduce((most, { count }) => Math.max(most, count), 1);

  const cells = transitions.flatMap(({ activity, next, count }) => {
    const [row, column] = [place.get(activity), place.get(next)];
    if (row === undefined || column === undefined) return [];
    return drawCell(left + column * cell, top + row * cell, { activity, next, count }, most);
  });
  const names = labels.flatMap((label, index) => {
    const middle = (index + 0.5) * cell;
    return [
      text(left - 8, top + middle + 4, 'label', label, 'text-anchor="end"'),
      text(0, 0, 'label', label, `transform="translate(${left + middle + 4} ${top - 8}) rotate(-90)"`),
    ];
  });
  const note =
    all.length > activities.length
      ? `The ${activities.length} most frequent of ${all.length} activities. `
      : `${all.length} activities. `;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-labelledby="title">
<title id="title">${escape(title)}</title>
<style>${style}</style>
<rect width="${width}" height="${height}" fill="#ffffff"/>
${text(16, 28, 'title', title)}
${text(16, 48, 'note', 'A row is followed by a column in the same case, so many times.')}
<rect class="grid" x="${left}" y="${top}" width="${side}" height="${side}"/>
${[...cells, ...names].join('\n')}
${text(16, height - 14, 'note', `${note}Darker is more, on a logarithmic scale up to ${most.toLocaleString('en')}.`)}
</svg>
`;
}

/** By how often they occur in transitions, most first, and then by name. */
function orderActivities(transitions: readonly Transition[]): readonly string[] {
  const counts = new Map<string, number>();
  for (const { activity, next, count } of transitions) {
    for (const name of [activity, next]) counts.set(name, (counts.get(name) ?? 0) + count);
  }
  return [...counts]
    .sort(([nameA, countA], [nameB, countB]) => countB - countA || (nameA < nameB ? -1 : 1))
    .map(([name]) => name);
}

function drawCell(x: number, y: number, { activity, next, count }: Transition, most: number): string[] {
  const shade = most === 1 ? 1 : 0.08 + 0.92 * (Math.log(count) / Math.log(most));
  const name = shade > 0.55 ? 'count light' : 'count';
  return [
    `<rect class="cell" x="${x}" y="${y}" width="${cell}" height="${cell}" fill-opacity="${shade.toFixed(3)}">` +
      `<title>${escape(`${activity} → ${next}: ${count.toLocaleString('en')}`)}</title></rect>`,
    text(x + cell / 2, y + cell / 2 + 3, name, compact.format(count), 'text-anchor="middle"'),
  ];
}

const compact = new Intl.NumberFormat('en', { notation: 'compact', maximumSignificantDigits: 2 });

function shorten(label: string): string {
  return label.length > longestLabel ? `${label.slice(0, longestLabel - 1)}…` : label;
}

function text(x: number, y: number, name: string, content: string, attributes = ''): string {
  return `<text class="${name}" x="${x}" y="${y}" ${attributes}>${escape(content)}</text>`;
}

function escape(content: string): string {
  return content.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
}

const style = `
text { font-family: system-ui, -apple-system, "Segoe UI", "Helvetica Neue", Arial, sans-serif; fill: #1f2328 }
.title { font-size: 17px; font-weight: 600 } .label { font-size: 12px } .note { font-size: 12px; fill: #59636e }
.count { font-size: 9px } .light { fill: #ffffff }
.cell { fill: #1f5fbf } .grid { fill: #f6f8fa }
`;
