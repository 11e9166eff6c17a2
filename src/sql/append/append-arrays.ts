import type { CheckedCondition } from '../../core/store/append/append-condition.js';
import type { PreparedEvent } from '../../core/store/append/prepare-events.js';
import type { ExpectedVersion } from '../../core/store/event-store.js';
import type { NormalFilter } from '../../core/store/read/filter.js';
import { arrayOf, type SqlArrayType, type SqlValue } from '../sql-port.js';
import { sqlTime } from '../sql-time.js';
import type { AppendMember, AppendPart, PreparedCommit } from './append-member.js';
import { conflictsIn, type ConflictInBatch } from './batch-conflicts.js';

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
  /** The members, in the order of the statement. */
  readonly places: readonly MemberPlace[];
  /** Members that are refused if an earlier one is appended: their conditions take an event of that one. */
  readonly conflicts: readonly ConflictInBatch[];
}

interface MemberPlace {
  /** Its index among the given members. */
  readonly member: number;
  readonly parts: readonly PartPlace[];
}

/** For each commit, the offset of its last event and the number of its events. */
type PartPlace = readonly { readonly last: number; readonly events: number }[];

interface StreamRow {
  readonly id: string;
  /** Counts from 1. */
  place: number;
  count: number;
  /** The version before the batch that its members expect; null for any, -1 if it can't be known beforehand. */
  base: number | null;
}

interface PartRow {
  readonly stream: StreamRow;
  readonly expected: number;
  /** The number of the batch's events before it in its stream. */
  readonly start: number;
  readonly count: number;
  /** Counts from 1. */
  readonly member: number;
}

/** A commit that is looked for before it is appended. */
interface MaybeStoredRow {
  readonly part: number;
  readonly eventId: string;
}

interface EventRow {
  /** Counts from 1, like `commit`. */
  readonly part: number;
  readonly commit: number;
  readonly offset: number;
  readonly id: string;
  readonly event: PreparedEvent;
}

interface FilterRow {
  readonly member: number;
  readonly condition: CheckedCondition;
  readonly filter: NormalFilter;
}

interface Batch {
  readonly streams: readonly StreamRow[];
  readonly parts: readonly PartRow[];
  /** Whether each member has one part, and they are sorted by their streams. */
  readonly isSorted: boolean;
  readonly maybeStored: readonly MaybeStoredRow[];
  readonly commits: readonly PreparedCommit[];
  readonly events: readonly EventRow[];
  readonly filters: readonly FilterRow[];
  readonly conflicts: readonly ConflictInBatch[];
  readonly areChecked: boolean;
}

const ofStream = arraysOf(({ streams }) => streams);
const ofPart = arraysOf(({ parts }) => parts);
const ofMaybeStored = arraysOf(({ maybeStored }) => maybeStored);
const ofCommit = arraysOf(({ commits }) => commits);
const ofEvent = arraysOf(({ events }) => events);
const ofFilter = arraysOf(({ filters }) => filters);
const ofConflict = arraysOf(({ conflicts }) => conflicts);
const ofUnsorted = arraysOf(({ parts, isSorted }) => (isSorted ? [] : parts));

/** The parameters of `append_members`, whose SQL describes them. */
export const batchParameters: readonly Parameter<Batch>[] = [
  ofStream('s_ids', 'text', ({ id }) => id),
  ofStream('s_counts', 'bigint', ({ count }) => count),
  ofStream('s_tops', 'bigint', ({ base, count }) => (base === null || base < 0 ? base : base + count)),
  ofPart('p_streams', 'integer', ({ stream }) => stream.place),
  ofPart('p_expected', 'bigint', ({ expected }) => expected),
  ofPart('p_starts', 'bigint', ({ start }) => start),
  ofPart('p_counts', 'bigint', ({ count }) => count),
  ofUnsorted('p_members', 'integer', ({ member }) => member),
  ofMaybeStored('c_parts', 'integer', ({ part }) => part),
  ofMaybeStored('c_event_ids', 'uuid', ({ eventId }) => eventId),
  { parameter: 'c_are_checked', type: 'boolean', valueOf: ({ areChecked }) => areChecked },
  ofCommit('c_ids', 'text', ({ commitId }) => commitId),
  ofEvent('e_parts', 'integer', ({ part }) => part),
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
  ofFilter('q_members', 'integer', ({ member }) => member),
  ofFilter('q_after', 'bigint', ({ condition }) => condition.after.position),
  ofFilter('q_store_ids', 'text', ({ condition }) => condition.after.storeId),
  ofFilter('q_types', 'text', ({ filter: { types } }) => (types?.length ? arrayLiteral(types) : null)),
  ofFilter('q_categories', 'text', ({ filter: { categories } }) =>
    categories?.length ? arrayLiteral(categories) : null,
  ),
  ofFilter('q_tags', 'text', ({ filter: { tags } }) => (tags?.length ? arrayLiteral(tags) : null)),
  ofFilter('q_correlation_ids', 'text', ({ filter }) => filter.correlationId ?? null),
  ofConflict('d_members', 'integer', ({ member }) => member),
  ofConflict('d_on', 'integer', ({ on }) => on),
];

/** @param isRepeated whether all members may be stored already */
export function batchArrays(members: readonly AppendMember[], isRepeated: boolean): BatchArrays {
  // With a condition, the order counts: it is about what comes before.
  const isSorted = members.every(({ parts, condition }) => parts.length === 1 && condition === undefined);
  const ordered = isSorted ? inLockOrder(members) : [...members.entries()];
  const streams = new Map<string, StreamRow>();
  // All parts first, since an offset counts from the end of its stream.
  const placed = ordered.map(([index, member]) => ({
    index,
    member,
    parts: member.parts.map((part) => ({ part, ...addToStream(streams, part) })),
  }));

  const partRows: PartRow[] = [];
  const maybeStored: MaybeStoredRow[] = [];
  const commitRows: PreparedCommit[] = [];
  const events: EventRow[] = [];
  const places: MemberPlace[] = [];
  for (const { index, parts } of placed) {
    const partPlaces: PartPlace[] = [];
    for (const { part: appended, stream, start } of parts) {
      const { expectedVersion, commits } = appended;
      const part = partRows.length + 1;
      const before = events.length;
      let offset = start - stream.count;
      const offsets = commits.map((commit) => {
        commitRows.push(commit);
        if (commit.mayBeStored || isRepeated) {
          maybeStored.push({ part, eventId: commit.eventIds[0] as string });
        }
        for (const [ordinal, event] of commit.events.entries()) {
          const id = commit.eventIds[ordinal] as string;
          events.push({ part, commit: commitRows.length, offset: ++offset, id, event });
        }
        return { last: offset, events: commit.events.length };
      });
      partRows.push({
        stream,
        expected: expectedCode(expectedVersion),
        start,
        count: events.length - before,
        member: places.length + 1,
      });
      partPlaces.push(offsets);
    }
    places.push({ member: index, parts: partPlaces });
  }
  const conflicts = conflictsIn(ordered.map(([, member]) => member));
  const batch: Batch = {
    streams: sortedStreams(streams),
    parts: partRows,
    isSorted,
    maybeStored,
    commits: commitRows,
    events,
    filters: ordered.flatMap(([, { condition }], place) =>
      (condition?.filter ?? []).map((filter) => ({
        member: place + 1,
        condition: condition as CheckedCondition,
        filter,
      })),
    ),
    conflicts,
    areChecked: isRepeated || members.some(isLookedFor),
  };
  return { values: batchParameters.map(({ valueOf }) => valueOf(batch)), places, conflicts };
}

/** The streams in the order of their locks. */
function sortedStreams(streams: ReadonlyMap<string, StreamRow>): readonly StreamRow[] {
  const sorted = [...streams.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
  for (const [index, stream] of sorted.entries()) stream.place = index + 1;
  return sorted;
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
export function isLookedFor({ parts }: AppendMember): boolean {
  return parts.some(
    ({ expectedVersion, commits }) =>
      expectedCode(expectedVersion) < 0 && commits.some(({ mayBeStored }) => mayBeStored),
  );
}

/** Sorts members of one part the same way for all callers, so that no two batches wait for each other's streams. */
export function inLockOrder(members: readonly AppendMember[]): [index: number, member: AppendMember][] {
  return [...members.entries()].sort(
    (
      [
        ,
        {
          parts: [a],
        },
      ],
      [
        ,
        {
          parts: [b],
        },
      ],
    ) => {
      const [first, second] = [a?.streamId ?? '', b?.streamId ?? ''];
      return first < second ? -1 : Number(first > second);
    },
  );
}

/** Adds a part to its stream; `start` is the number of the batch's events before it there. */
function addToStream(
  streams: Map<string, StreamRow>,
  { streamId, expectedVersion, commits }: AppendPart,
): { readonly stream: StreamRow; readonly start: number } {
  let stream = streams.get(streamId);
  if (stream === undefined) {
    streams.set(streamId, (stream = { id: streamId, place: 0, count: 0, base: null }));
  }
  const start = stream.count;
  for (const { events } of commits) stream.count += events.length;
  const expected = expectedCode(expectedVersion);
  // A part behind another one follows an event, so the stream exists.
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
