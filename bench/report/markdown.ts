import { median, type Ratio } from '../rounds.js';
import type { Row, SuiteReport } from '../suites/suite.js';

/** A suite's result as a heading, a table and its notes. */
export function toMarkdown({ title, rows, notes = [] }: SuiteReport): string {
  const parts = [`## ${title}`];
  if (rows.length > 0) parts.push(toTable(rows));
  parts.push(...notes);
  return parts.join('\n\n');
}

export function table(head: readonly string[], lines: readonly (readonly string[])[]): string {
  const widths = head.map((cell, column) =>
    Math.max(cell.length, ...lines.map((line) => line[column]!.length)),
  );
  const format = (cells: readonly string[]) =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column]!)).join(' | ')} |`;
  const rule = `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`;
  return [format(head), rule, ...lines.map(format)].join('\n');
}

function toTable(rows: readonly Row[]): string {
  const isMeasured = rows.some(({ values }) => values.length > 0);
  const hasLatency = rows.some(({ latency }) => latency !== undefined);
  const ratios = headings(rows, ({ ratios }) => ratios);
  const counts = headings(rows, ({ counts }) => counts);
  const head = [
    'workload',
    'contender',
    ...(isMeasured ? ['median'] : []),
    ...(hasLatency ? ['p50', 'p99'] : []),
    ...ratios.map((heading) => `${heading} (min–max)`),
    ...counts.map(toWords),
  ];
  const lines = rows.map((row) => [
    row.workload,
    row.contender,
    ...(isMeasured ? [`${formatNumber(median(row.values))} ${row.unit ?? ''}`] : []),
    ...(hasLatency ? [formatLatency(row.latency?.p50), formatLatency(row.latency?.p99)] : []),
    ...ratios.map((heading) => withSpread(row.ratios?.[heading])),
    ...counts.map((heading) => formatCount(row.counts?.[heading])),
  ]);
  return table(head, lines);
}

export function withSpread(ratio: Ratio | undefined): string {
  if (ratio === undefined) return '–';
  return `${formatRatio(ratio.ofMedians)} (${formatRatio(ratio.least)}–${formatRatio(ratio.most)})`;
}

export function formatRatio(value: number): string {
  return value >= 10 ? value.toFixed(0) : value.toFixed(2);
}

/** Three digits that count, whole from 100 on. */
function formatNumber(value: number): string {
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString('en');
  return value.toLocaleString('en', { maximumSignificantDigits: 3 });
}

function formatLatency(value: number | undefined): string {
  return value === undefined ? '–' : `${formatNumber(value)} ms`;
}

function headings(rows: readonly Row[], of: (row: Row) => Row['ratios'] | Row['counts']): string[] {
  return [...new Set(rows.flatMap((row) => Object.keys(of(row) ?? {})))];
}

function formatCount(count: number | undefined): string {
  return count === undefined ? '–' : count.toLocaleString('en');
}

/** `acceptedWrongly` is "accepted wrongly". */
function toWords(heading: string): string {
  return heading.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}
