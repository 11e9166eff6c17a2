import type { PreparedEvent } from '../../core/store/append/prepare-events.js';
import type { ExpectedVersion } from '../../core/store/event-store.js';
import { arrayOf, type SqlArrayType, type SqlValue } from '../sql-port.js';
import { sqlTime } from '../sql-time.js';
import type { AppendMember, PreparedCommit } from './append-member.js';

/** A parameter of a function in SQL; lists of them have the function's order. */
export interface Parameter<From> {
  readonly parameter: string;
  /** Its type in the statement. */
  readonly type: string;
  readonly valueOf: (from: From) => SqlValue;
}

export interface BatchArrays {
  /** The values of {@link batchParameters}. */
  readonly values: readonly SqlValue[];
  /** The places of the members, in the order of the statement. */
  readonly places: readonly MemberPlace[];
}

interface MemberPlace {
  /** Its index among the given members. */
  readonly member: number;
  /** For each commit, the offset of its last event and the number of its events. */
  readonly offsets: readonly { readonly last: number; readonly events: number }[];
}

interface StreamRow {
  readonly id: string;
  /** Counts from 1. */
  readonly place: number;
  count: number;
  /** The version before the batch that its members expect; null for any, -1 if it can't be known beforehand. */
  base: number | null;
}

interface MemberRow {
  readonly stream: StreamRow;
  readonly expected: number;
  /** The number of the batch's events before it in its stream. */
  readonly start: number;
  readonly count: number;
}

/** A commit that is looked for before it is appended. */
interface MaybeStoredRow {
  readonly member: number;
  readonly eventId: string;
}

interface EventRow {
  /** Counts from 1, like `commit`. */
  readonly member: number;
  readonly commit: number;
  readonly offset: number;
  readonly id: string;
  readonly event: PreparedEvent;
}

interface Batch {
  readonly streams: readonly StreamRow[];
  readonly members: readonly MemberRow[];
  readonly maybeStored: readonly MaybeStoredRow[];
  readonly commits: readonly PreparedCommit[];
  readonly events: readonly EventRow[];
  readonly areChecked: boolean;
}

const ofStream = arraysOf(({ streams }) => streams);
const ofMember = arraysOf(({ members }) => members);
const ofMaybeStored = arraysOf(({ maybeStored }) => maybeStored);
const ofCommit = arraysOf(({ commits }) => commits);
const ofEvent = arraysOf(({ events }) => events);

/** The parameters of `append_batch`, whose SQL describes them. */
export const batchParameters: readonly Parameter<Batch>[] = [
  ofStream('s_ids', 'text', ({ id }) => id),
  ofStream('s_counts', 'bigint', ({ count }) => count),
  ofStream('s_tops', 'bigint', ({ base, count }) => (base === null || base < 0 ? base : base + count)),
  ofMember('m_streams', 'integer', ({ stream }) => stream.place),
  ofMember('m_expected', 'bigint', ({ expected }) => expected),
  ofMember('m_starts', 'bigint', ({ start }) => start),
  ofMember('m_counts', 'bigint', ({ count }) => count),
  ofMaybeStored('c_members', 'integer', ({ member }) => member),
  ofMaybeStored('c_event_ids', 'uuid', ({ eventId }) => eventId),
  { parameter: 'c_are_checked', type: 'boolean', valueOf: ({ areChecked }) => areChecked },
  ofCommit('c_ids', 'text', ({ commitId }) => commitId),
  ofEvent('e_members', 'integer', ({ member }) => member),
  ofEvent('e_commits', 'integer', ({ commit }) => commit),
  ofEvent('e_offsets', 'bigint', ({ offset }) => offset),
  ofEvent('e_ids', 'uuid', ({ id }) => id),
  ofEvent('e_types', 'text', ({ event }) => event.type),
  ofEvent('e_schema_versions', 'integer', ({ event }) => event.schemaVersion),
  ofEvent('e_data', 'json', ({ event }) => event.data),
  ofEvent('e_metadata', 'json', ({ event }) => event.metadata),
  ofEvent('e_correlation_ids', 'text', ({ event }) => event.correlationId ?? null),
  ofEvent('e_tags', 'text', ({ event }) => (event.tags.length === 0 ? null : arrayLiteral(event.tags))),
  // A driver can't tell that these are times; the statement does.
  ofEvent('e_occurred_at', 'text', ({ event }) => timeOf(event), 'text[]::timestamptz[]'),
];

/** @param isRepeated whether all members may be stored already */
export function batchArrays(members: readonly AppendMember[], isRepeated: boolean): BatchArrays {
  const sorted = inLockOrder(members);
  const streams = new Map<string, StreamRow>();
  // All members first, since an offset counts from the end of its stream.
  const placed = sorted.map(([index, member]) => ({ index, member, ...addToStream(streams, member) }));

  const memberRows: MemberRow[] = [];
  const maybeStored: MaybeStoredRow[] = [];
  const commitRows: PreparedCommit[] = [];
  const events: EventRow[] = [];
  const places: MemberPlace[] = [];
  for (const { index, member: appended, stream, start } of placed) {
    const { expectedVersion, commits } = appended;
    const member = memberRows.length + 1;
    const before = events.length;
    let offset = start - stream.count;
    const offsets = commits.map((commit) => {
      commitRows.push(commit);
      if (commit.mayBeStored || isRepeated) {
        maybeStored.push({ member, eventId: commit.eventIds[0] as string });
      }
      for (const [ordinal, event] of commit.events.entries()) {
        const id = commit.eventIds[ordinal] as string;
        events.push({ member, commit: commitRows.length, offset: ++offset, id, event });
      }
      return { last: offset, events: commit.events.length };
    });
    memberRows.push({
      stream,
      expected: expectedCode(expectedVersion),
      start,
      count: events.length - before,
    });
    places.push({ member: index, offsets });
  }
  const batch: Batch = {
    streams: [...streams.values()],
    members: memberRows,
    maybeStored,
    commits: commitRows,
    events,
    areChecked: isRepeated || members.some(isLookedFor),
  };
  return { values: batchParameters.map(({ valueOf }) => valueOf(batch)), places };
}

/** Makes parameters with a value of each row; null replaces an array of nulls, so that less is sent and read. */
function arraysOf<Row>(rowsOf: (batch: Batch) => readonly Row[]) {
  return (
    parameter: string,
    type: SqlArrayType,
    valueOf: (row: Row) => string | number | null,
    written = `${type}[]`,
  ): Parameter<Batch> => ({
    parameter,
    type: written,
    valueOf: (batch) => {
      const values = rowsOf(batch).map(valueOf);
      return values.every((value) => value === null) ? null : arrayOf(type, values);
    },
  });
}

/**
 * Whether its commits are looked for in any case. If it expects a version, a stored commit shows as a version conflict
 * or, if it is repeated with the current version, as a violation of the unique key of ids.
 */
export function isLookedFor({ expectedVersion, commits }: AppendMember): boolean {
  return expectedCode(expectedVersion) < 0 && commits.some(({ mayBeStored }) => mayBeStored);
}

/** Sorts members the same way for all callers, so that no two batches wait for each other's streams. */
export function inLockOrder(members: readonly AppendMember[]): [index: number, member: AppendMember][] {
  return [...members.entries()].sort(([, a], [, b]) =>
    a.streamId < b.streamId ? -1 : Number(a.streamId > b.streamId),
  );
}

/** Adds a member to its stream; `start` is the number of the batch's events before it there. */
function addToStream(
  streams: Map<string, StreamRow>,
  { streamId, expectedVersion, commits }: AppendMember,
): { readonly stream: StreamRow; readonly start: number } {
  let stream = streams.get(streamId);
  if (stream === undefined) {
    streams.set(streamId, (stream = { id: streamId, place: streams.size + 1, count: 0, base: null }));
  }
  const start = stream.count;
  for (const { events } of commits) stream.count += events.length;
  const expected = expectedCode(expectedVersion);
  // A member behind another one follows an event, so the stream exists.
  if (expected === expectedCode('any') || (expected === expectedCode('streamExists') && start > 0)) {
    return { stream, start };
  }
  const base = expected - start;
  stream.base = base >= 0 && (stream.base === null || stream.base === base) ? base : -1;
  return { stream, start };
}

/** The code of an expected version in the SQL functions. */
export function expectedCode(expected: ExpectedVersion): number {
  if (typeof expected === 'number') return expected;
  return { any: -1, streamExists: -2, noStream: 0 }[expected];
}

/** An array of texts as PostgreSQL reads it. */
export function arrayLiteral(texts: readonly string[]): string {
  return texts.length === 0
    ? '{}'
    : `{${texts.map((text) => `"${text.replaceAll(/["\\]/g, '\\$&')}"`).join()}}`;
}

/** When the event occurred, if it has a time. */
export function timeOf({ occurredAt }: PreparedEvent): string | null {
  return occurredAt === undefined ? null : sqlTime(occurredAt);
}
