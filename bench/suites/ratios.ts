import { ratiosOf } from '../rounds.js';
import type { Row } from './suite.js';

/** Adds to each row its ratio to the row of another contender with the same workload. */
export function compare(rows: readonly Row[], baselines: readonly string[]): Row[] {
  return rows.map((row) => {
    const ratios = baselines.flatMap((contender) => {
      const other = rows.find((it) => it.workload === row.workload && it.contender === contender);
      return other === undefined ? [] : [[`× ${contender}`, ratiosOf(row.values, other.values)] as const];
    });
    return { ...row, ratios: Object.fromEntries(ratios) };
  });
}
