import type { Ratio } from '../rounds.js';
import { formatRatio } from './markdown.js';

export interface BarChart {
  readonly title: string;
  readonly subtitle: string;
  readonly series: readonly string[];
  /** A label may have two lines. */
  readonly groups: readonly { readonly label: string; readonly bars: readonly (Ratio | undefined)[] }[];
}

const width = 860;
const height = 420;
const plot = { left: 48, right: width - 20, top: 104, bottom: height - 66 };
const widestBar = 32;
const barGap = 5;

/** A grouped bar chart with a line at 1. It has a ground of its own, so that it is readable wherever it is shown. */
export function drawBars({ title, subtitle, series, groups }: BarChart, footer: string): string {
  const highest = Math.max(1, ...groups.flatMap(({ bars }) => bars.map((bar) => bar?.most ?? 0)));
  const step = tickOf(highest);
  const top = Math.ceil(highest / step) * step;
  const y = (value: number) => plot.bottom - (value / top) * (plot.bottom - plot.top);

  const ticks = Array.from({ length: Math.round(top / step) + 1 }, (_, index) => index * step);
  const slot = (plot.right - plot.left) / groups.length;
  const barWidth = Math.min(widestBar, (slot - 10) / series.length - barGap);
  const barsWidth = series.length * barWidth + (series.length - 1) * barGap;
  const parts = [
    ...ticks.map((tick) => drawTick(tick, y(tick))),
    ...groups.flatMap(({ label, bars }, group) => {
      const middle = plot.left + slot * (group + 0.5);
      return [
        ...bars.flatMap((bar, index) =>
          bar === undefined
            ? []
            : drawBar(bar, index, middle - barsWidth / 2 + index * (barWidth + barGap), barWidth, y),
        ),
        ...label
          .split('\n')
          .map((part, index) => text(middle, plot.bottom + 20 + index * 16, 'label', part, 'middle')),
      ];
    }),
    line(plot.left, y(1), plot.right, y(1), 'one'),
    ...drawLegend(series),
  ];
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-labelledby="title desc">
<title id="title">${escape(title)}</title>
<desc id="desc">${escape(describe(series, groups))}</desc>
<style>${style}</style>
<rect class="ground" x="0.5" y="0.5" width="${width - 1}" height="${height - 1}" rx="8"/>
${text(plot.left - 28, 32, 'title', title)}
${text(plot.left - 28, 52, 'note', subtitle)}
${parts.join('\n')}
${text(plot.left - 28, height - 16, 'note', footer)}
</svg>
`;
}

/** At most eight steps of 1, 2 or 5, or of ten times as much, and so on; none is less than 0.5. */
function tickOf(highest: number): number {
  const steps = [0.5, 1, 2, 5].flatMap((step) => [1, 10, 100, 1000].map((power) => step * power));
  return steps.sort((a, b) => a - b).find((step) => highest / step <= 8) ?? highest;
}

function drawTick(tick: number, y: number): string {
  return (
    line(plot.left, y, plot.right, y, tick === 0 ? 'axis' : 'grid') +
    text(plot.left - 8, y + 4, 'note', tick.toFixed(tick < 10 ? 1 : 0), 'end')
  );
}

function drawBar(
  bar: Ratio,
  index: number,
  x: number,
  width: number,
  y: (value: number) => number,
): string[] {
  const middle = x + width / 2;
  const top = y(bar.ofMedians);
  return [
    `<rect class="s${index}" x="${round(x)}" y="${round(top)}" width="${round(width)}" height="${round(plot.bottom - top)}" rx="2"/>`,
    line(middle, y(bar.least), middle, y(bar.most), 'spread'),
    text(middle, y(bar.most) - 6, 'value', formatRatio(bar.ofMedians), 'middle'),
  ];
}

function drawLegend(series: readonly string[]): string[] {
  let x = plot.left - 28;
  return series.flatMap((name, index) => {
    const box = `<rect class="s${index}" x="${x}" y="68" width="12" height="12" rx="2"/>`;
    const label = text(x + 18, 78, 'label', name);
    // Letters are a little more than half as wide as they are high.
    x += 18 + name.length * 7.2 + 22;
    return [box, label];
  });
}

function describe(series: readonly string[], groups: BarChart['groups']): string {
  return groups
    .map(({ label, bars }) => {
      const values = bars.flatMap((bar, index) =>
        bar === undefined ? [] : [`${series[index] ?? ''} ${formatRatio(bar.ofMedians)}`],
      );
      return `${label.replace('\n', ', ')}: ${values.join(', ')}.`;
    })
    .join(' ');
}

function line(x1: number, y1: number, x2: number, y2: number, name: string): string {
  return `<line class="${name}" x1="${round(x1)}" y1="${round(y1)}" x2="${round(x2)}" y2="${round(y2)}"/>`;
}

function text(x: number, y: number, name: string, content: string, anchor = 'start'): string {
  return `<text class="${name}" x="${round(x)}" y="${round(y)}" text-anchor="${anchor}">${escape(content)}</text>`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function escape(content: string): string {
  return content.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
}

const style = `
text { font-family: system-ui, -apple-system, "Segoe UI", "Helvetica Neue", Arial, sans-serif; fill: #1f2328 }
.title { font-size: 17px; font-weight: 600 } .label { font-size: 13px } .value { font-size: 11px }
.note { font-size: 12px; fill: #59636e }
.ground { fill: #ffffff; stroke: #d1d9e0 } .grid { stroke: #e6eaef } .axis { stroke: #818b98 }
.one { stroke: #1f2328; stroke-dasharray: 5 4 } .spread { stroke: #1f2328; stroke-width: 1.5 }
.s0 { fill: #3b7de0 } .s1 { fill: #d9923b } .s2 { fill: #8b6fc0 } .s3 { fill: #8a949e } .s4 { fill: #4f9d69 }
@media (prefers-color-scheme: dark) {
text { fill: #f0f6fc } .note { fill: #9198a1 }
.ground { fill: #0d1117; stroke: #3d444d } .grid { stroke: #21262d } .axis { stroke: #656c76 }
.one { stroke: #f0f6fc } .spread { stroke: #f0f6fc }
.s0 { fill: #4c8df0 } .s1 { fill: #c98536 } .s2 { fill: #9379c9 } .s3 { fill: #78828c } .s4 { fill: #5aa874 }
}
`;
