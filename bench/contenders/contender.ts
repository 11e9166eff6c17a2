import type { JsonValue } from 'temporal-event-store';

/** What the suites compare: a store, or a bare way to do the same in SQL. */
export interface Contender {
  readonly name: string;
  /** Whose database it works on: its own, or that of the contender whose events it reads. */
  readonly database: string;
  readonly can: readonly Ability[];
  /** Whether a repeat of an append, by its commit id or its event ids, is claimed to be stored once. */
  readonly claimsRepeatsAreSafe: boolean;
  /** Name of the table that holds the events. */
  readonly table: string;
  /** Selects `ref`, `stream_id`, `version` (from 1) of all stored events. */
  readonly storedSql: string;
  /** Creates what it needs in an empty database. */
  prepare(url: string): Promise<void>;
  /** Stores what `rowsSql` selects (see `rows.ts`) by plain SQL, in the order of `ref`. */
  fillSql(rowsSql: string): readonly string[];
  open(url: string): Promise<Session>;
}

export interface Abilities {
  /** @throws Conflict when the stream isn't at the expected version */
  append(append: Append): Promise<void>;
  /** Reads a stream, all of it or what comes after a version. */
  load(streamId: string, afterVersion: number): Promise<Loaded>;
  /** Reads the whole store in order until `visit` says to stop. */
  catchUp(pageSize: number, visit: Visit): Promise<void>;
  /** One page for a reader that follows the store. */
  poll(cursor: number, limit: number): Promise<Polled>;
  /**
   * Appends, unless there is an event in the way of the condition.
   *
   * @returns the position
   * @throws Conflict when there is one
   */
  appendIf(append: Append, condition: Condition): Promise<number>;
  /** Two appends under the same condition, handed over together. Returns how many were stored. */
  appendBothIf(appends: readonly [Append, Append], condition: Condition): Promise<number>;
  /** Several streams, all or nothing. */
  appendToStreams(appends: readonly Append[], commitId: string): Promise<void>;
  /** What a decision reads before it appends under a condition. */
  find(filter: TagFilter): Promise<Found>;
  /** How many events there are, from a summary of the whole store by type and by category. */
  statistics(): Promise<number>;
  /** How many events there are, from their numbers in each month. */
  trends(): Promise<number>;
}

export type Ability = keyof Abilities;
export type Session = Partial<Abilities> & Closable;
/** A session that has these abilities. */
export type Able<A extends Ability> = Pick<Abilities, A> & Closable;

interface Closable {
  close(): Promise<void>;
}

export interface NewEvent {
  /** For stores whose callers choose the ids of events. */
  readonly id: string;
  readonly type: string;
  readonly data: EventData;
  readonly metadata: { readonly correlationId: string };
  readonly tags: readonly string[];
  readonly occurredAt?: string;
}

/** `ref` is what the audit knows an event by, in every store: unique in a database. */
export type EventData = Readonly<Record<string, JsonValue>> & { readonly ref: number };

export interface Append {
  readonly streamId: string;
  /** 0 for a new stream. */
  readonly expectedVersion: number;
  readonly commitId: string;
  readonly events: readonly NewEvent[];
}

/** Takes the events of any of the types that carry all of the tags. */
export interface TagFilter {
  readonly types?: readonly string[];
  readonly tags?: readonly string[];
}

/** No event that a filter takes may have been appended after the position. */
export interface Condition {
  readonly filters: readonly TagFilter[];
  readonly after: number;
}

export interface Found {
  readonly count: number;
  /** For a condition that depends on what was found. */
  readonly after: number;
}

/** An event as its store gives it to a caller, parsed. */
export interface ReadEvent {
  readonly data: EventData;
}

export interface Loaded {
  /** Of the last event that was read; `afterVersion` when there was none. */
  readonly version: number;
  readonly events: readonly ReadEvent[];
}

export interface Polled {
  readonly refs: readonly number[];
  readonly cursor: number;
}

/** Returns false to stop. */
export type Visit = (event: ReadEvent) => boolean;

/** The store refused an append: the stream was at another version, or an event was in the way of the condition. */
export class Conflict extends Error {
  override readonly name = 'Conflict';
}

/** Opens a session with abilities that the contender is known to have. */
export async function open<A extends Ability>(
  contender: Contender,
  url: string,
  ...abilities: readonly A[]
): Promise<Able<A>> {
  const session = await contender.open(url);
  const missing = abilities.filter((ability) => session[ability] === undefined);
  if (missing.length > 0) throw new Error(`${contender.name} can't ${missing.join(', ')}.`);
  return session as Able<A>;
}
