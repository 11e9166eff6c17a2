import type { Ability, Contender } from '../contenders/contender.js';

/** A question, and how it is measured. */
export interface Suite {
  readonly name: string;
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
  /** Events of the store that is read from the start to the end. */
  readonly events: number;
  /** Events of a large store. */
  readonly size: number;
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
  /** To other rows, round by round, by the heading of the column. */
  readonly ratios?: Readonly<Record<string, readonly number[]>>;
  /** By the heading of the column. */
  readonly counts?: Readonly<Record<string, number>>;
}

/** Less is better of `ms`, more of the others. */
export type Unit = 'ms' | 'appends/s' | 'events/s' | 'loads/s';

export function thatCan(contenders: readonly Contender[], ...abilities: readonly Ability[]): Contender[] {
  return contenders.filter(({ can }) => abilities.every((ability) => can.includes(ability)));
}
