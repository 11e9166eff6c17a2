import type { Ability, Contender } from '../contenders/contender.js';
import { ratioOf, type Ratio } from '../rounds.js';

/** A question, and how it is measured. */
export interface Suite {
  readonly name: string;
  /** Whether it runs only when it's named. */
  readonly isApart?: true;
  run(bench: Bench): Promise<SuiteReport>;
}

export interface Bench {
  readonly serverUrl: string;
  readonly settings: Settings;
  readonly contenders: readonly Contender[];
  /** Tells a person how far it has come. */
  readonly progress: (line: string) => void;
}

export interface Settings {
  readonly rounds: number;
  /** Of one measurement of one contender. */
  readonly seconds: number;
  /** The same for commands, which pass through more. */
  readonly window: number;
  /** Events of the store that is read from the start to the end. */
  readonly events: number;
  /** Events of a large store. */
  readonly size: number;
  /** Whether it's enough to see that it works. */
  readonly isQuick: boolean;
}

export interface SuiteReport {
  readonly title: string;
  readonly rows: readonly Row[];
  /** What a reader of the table has to know. */
  readonly notes?: readonly string[];
}

export interface Row {
  readonly workload: string;
  readonly contender: string;
  /** Of the values. Absent where there are none. */
  readonly unit?: Unit;
  /** One for each round. */
  readonly values: readonly number[];
  /** Milliseconds from a call to its answer. */
  readonly latency?: { readonly p50: number; readonly p99: number };
  /** To other rows, by the heading of the column. */
  readonly ratios?: Readonly<Record<string, Ratio>>;
  /** By the heading of the column. */
  readonly counts?: Counts;
}

export type Counts = Readonly<Record<string, number>>;

/** Less is better of `ms`, more of the others. */
export type Unit = 'ms' | 'appends/s' | 'events/s' | 'loads/s' | 'commands/s' | 'keys/s';

export function thatCan(contenders: readonly Contender[], ...abilities: readonly Ability[]): Contender[] {
  return contenders.filter(({ can }) => abilities.every((ability) => can.includes(ability)));
}

/** Adds to the counts of earlier rounds. */
export function addCounts<S>(sums: Map<S, Counts>, contender: S, counts: Counts): void {
  const sum = sums.get(contender) ?? {};
  const added = Object.entries(counts).map(([name, count]) => [name, count + (sum[name] ?? 0)] as const);
  sums.set(contender, Object.fromEntries(added));
}

/** A row for each contender. */
export function toRows<S extends { readonly name: string }>(
  workload: string,
  unit: Unit,
  values: ReadonlyMap<S, readonly number[]>,
  counts: ReadonlyMap<S, Counts>,
): Row[] {
  return Array.from(values, ([contender, ofContender]) => {
    return { workload, contender: contender.name, unit, values: ofContender, counts: counts.get(contender)! };
  });
}

/** Adds to each row its ratio to the rows of other contenders with the same workload. */
export function compare(rows: readonly Row[], baselines: readonly string[]): Row[] {
  return rows.map((row) => {
    const ratios = baselines.flatMap((contender) => {
      const other = rows.find((it) => it.workload === row.workload && it.contender === contender);
      return other === undefined ? [] : [[`× ${contender}`, ratioOf(row.values, other.values)] as const];
    });
    return { ...row, ratios: Object.fromEntries(ratios) };
  });
}
