import type { TrendBucket, TrendInterval } from 'temporal-event-store';

export interface TrendChart {
  readonly title: string;
  readonly interval: TrendInterval;
  readonly buckets: readonly TrendBucket[];
}

/** A line for each interval, for a terminal. */
export function drawTrendLines({ interval, buckets }: TrendChart, width = 40): string {
  const most = mostOf(buckets);
  return buckets
    .map(({ start, count }) => {
      // What is not nothing is seen.
      const length = count === 0 ? 0 : Math.max(1, Math.round((count / most) * width));
      return `${labelOf(start, interval)}  ${'█'.repeat(length)}${length === 0 ? '' : ' '}${count}`;
    })
    .join('\n');
}

const size = { width: 860, height: 320 };
const plot = { left: 48, right: size.width - 20, top: 64, bottom: size.height - 44 };
const mostLabels = 12;

/** A column for each interval, as a file of its own for a browser. */
export function drawTrendSvg({ title, interval, buckets }: TrendChart): string {
  const most = mostOf(buckets);
  const slot = (plot.right - plot.left) / Math.max(1, buckets.length);
  const labelEvery = Math.ceil(buckets.length / mostLabels);
  const columns = buckets.map(({ start, count }, index) => {
    const x = plot.left + slot * index;
    const height = (count / most) * (plot.bottom - plot.top);
    const label = escape(labelOf(start, interval));
    const column = `<rect x="${round(x + slot * 0.1)}" y="${round(plot.bottom - height)}" width="${round(slot * 0.8)}" height="${round(height)}"><title>${label}: ${count}</title></rect>`;
    if (index % labelEvery !== 0) return column;
    return `${column}\n<text x="${round(x + slot / 2)}" y="${plot.bottom + 18}" text-anchor="middle">${label}</text>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size.width} ${size.height}" role="img" aria-labelledby="title">
<title id="title">${escape(title)}</title>
<style>text { font: 12px system-ui, sans-serif; fill: #59636e } .title { font-size: 17px; font-weight: 600; fill: #1f2328 } rect { fill: #3b7de0 } .ground { fill: #ffffff } line { stroke: #818b98 }</style>
<rect class="ground" width="${size.width}" height="${size.height}"/>
<text class="title" x="20" y="32">${escape(title)}</text>
<text x="${plot.left - 8}" y="${plot.top + 4}" text-anchor="end">${most}</text>
<line x1="${plot.left}" y1="${plot.bottom}" x2="${plot.right}" y2="${plot.bottom}"/>
${columns.join('\n')}
</svg>
`;
}

/** `2026-03-01 14:00` for an hour, `2026-03` for a month, else the day on which it begins. */
function labelOf(start: string, interval: TrendInterval): string {
  if (interval === 'hour') return start.slice(0, 16).replace('T', ' ');
  return start.slice(0, interval === 'month' ? 7 : 10);
}

/** At least 1, so that it divides. */
function mostOf(buckets: readonly TrendBucket[]): number {
  return buckets.reduce((most, { count }) => Math.max(most, count), 1);
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function escape(content: string): string {
  return content.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
}
