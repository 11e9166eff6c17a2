import type { MutantResult, MutantStatus } from '@stryker-mutator/api/core';

export interface Score {
  readonly folder: string;
  /** A mutant that makes its tests run for ever is caught like one that makes them fail. */
  readonly caught: number;
  readonly survived: number;
  /** No unit test reaches them. */
  readonly uncovered: number;
}

export function scoreOf(folder: string, mutants: readonly MutantResult[]): Score {
  // What runs when a file is loaded has run before Stryker switches its mutants on: that they survive says nothing.
  const tried = mutants.filter((mutant) => !(mutant.static === true && mutant.status === 'Survived'));
  const count = (...statuses: MutantStatus[]): number =>
    tried.filter(({ status }) => statuses.includes(status)).length;
  return {
    folder,
    caught: count('Killed', 'Timeout'),
    survived: count('Survived'),
    uncovered: count('NoCoverage'),
  };
}

/** In Markdown. */
export function table(scores: readonly Score[]): string {
  const rows = scores.map(({ folder, caught, survived, uncovered }) => [
    folder,
    percent(caught, caught + survived),
    String(caught),
    String(survived),
    String(uncovered),
  ]);
  const head = ['folder', 'of covered code', 'caught', 'survived', 'not covered'];
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  return [head, widths.map((width) => '-'.repeat(width)), ...rows].map(line).join('\n');
}

function percent(part: number, whole: number): string {
  return whole === 0 ? '–' : `${((100 * part) / whole).toFixed(1)} %`;
}
