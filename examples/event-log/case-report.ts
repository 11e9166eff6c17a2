import type { CaseFigures } from './case-figures.js';
import { format, formatBars } from './report.js';

const shownTransitions = 10;

/** The read model of a log, for the terminal. */
export function describeCases({ months, throughput, transitions }: CaseFigures): string {
  const { median, p90, longest } = throughput;
  const top = transitions.slice(0, shownTransitions);
  return [
    'Cases that began in each month',
    formatBars(months.map(({ month, cases }) => [month, cases])),
    '',
    `Throughput time of a case: median ${duration(median)}, p90 ${duration(p90)}, longest ${duration(longest)}`,
    '',
    `What follows what, most often (${format(transitions.length)} kinds)`,
    formatBars(top.map(({ activity, next, count }) => [`${activity} → ${next}`, count])),
  ].join('\n');
}

/** In the largest unit of which there is one. */
function duration(seconds: number): string {
  const [unit, length] = units.find(([, length]) => seconds >= length) ?? ['seconds', 1];
  return `${(seconds / length).toFixed(1)} ${unit}`;
}

const units: readonly (readonly [name: string, seconds: number])[] = [
  ['days', 86_400],
  ['hours', 3_600],
  ['minutes', 60],
];
