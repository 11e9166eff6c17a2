import type { PreparedEvent } from '../core/store/append/prepare-events.js';
import type { ExpectedVersion } from '../core/store/event-store.js';
import type { AppendMember } from './append-member.js';
import { arrayOf, type SqlArrayType, type SqlValue } from './sql-port.js';
import { sqlTime } from './sql-time.js';

export interface BatchArrays {
  /** Of `append_batch`, which says what they are. */
  readonly parameters: readonly SqlValue[];
  /** Where the members went, in the order of the statement. */
  readonly places: readonly MemberPlace[];
}

interface MemberPlace {
  /** Its index as it was given. */
  readonly member: number;
  /** The offset of each commit's last event, and how many events it has. */
  readonly offsets: readonly { readonly last: number; readonly events: number }[];
}

interface Stream {
  readonly index: number;
  count: number;
  /** The version before the batch that its members expect; null is any, -1 one that can't be told beforehand. */
  base: number | null;
}

/** @param isRepeated whether all of them may be stored already */
export function batchArrays(members: readonly AppendMember[], isRepeated: boolean): BatchArrays {
  const sorted = inLockOrder(members);
  const streams = new Map<string, Stream>();
  const starts = sorted.map(([, member]) => addToStream(streams, member));

  const [memberStreams, memberCounts, maybeStoredMembers, eventMembers, eventCommits, eventOffsets] =
    Array.from({ length: 6 }, (): number[] => []) as [
      number[],
      number[],
      number[],
      number[],
      number[],
      number[],
    ];
  const [maybeStoredIds, commitIds, eventIds]: [string[], string[], string[]] = [[], [], []];
  const events: PreparedEvent[] = [];
  const places = sorted.map(([member, { streamId, commits }], place): MemberPlace => {
    const { index, count } = streams.get(streamId) as Stream;
    let offset = (starts[place] as number) - count;
    const before = events.length;
    const offsets = commits.map((commit) => {
      commitIds.push(commit.commitId);
      if (commit.mayBeStored || isRepeated) {
        maybeStoredMembers.push(place + 1);
        maybeStoredIds.push(commit.eventIds[0] as string);
      }
      for (const [ordinal, event] of commit.events.entries()) {
        eventMembers.push(place + 1);
        eventCommits.push(commitIds.length);
        eventOffsets.push(++offset);
        eventIds.push(commit.eventIds[ordinal] as string);
        events.push(event);
      }
      return { last: offset, events: commit.events.length };
    });
    memberStreams.push(index);
    memberCounts.push(events.length - before);
    return { member, offsets };
  });
  const byStream = [...streams.values()];
  const parameters = [
    arrayOf('text', [...streams.keys()]),
    arrayOf(
      'bigint',
      byStream.map(({ count }) => count),
    ),
    unlessEmpty(
      'bigint',
      byStream.map(({ base, count }) => (base === null || base < 0 ? base : base + count)),
    ),
    arrayOf('integer', memberStreams),
    arrayOf(
      'bigint',
      sorted.map(([, { expectedVersion }]) => expectedCode(expectedVersion)),
    ),
    arrayOf('bigint', starts),
    arrayOf('bigint', memberCounts),
    unlessEmpty('integer', maybeStoredMembers),
    unlessEmpty('uuid', maybeStoredIds),
    isRepeated || members.some(isLookedFor),
    arrayOf('text', commitIds),
    arrayOf('integer', eventMembers),
    arrayOf('integer', eventCommits),
    arrayOf('bigint', eventOffsets),
    arrayOf('uuid', eventIds),
    arrayOf(
      'text',
      events.map((event) => event.type),
    ),
    arrayOf(
      'integer',
      events.map((event) => event.schemaVersion),
    ),
    arrayOf(
      'json',
      events.map((event) => event.data),
    ),
    arrayOf(
      'json',
      events.map((event) => event.metadata),
    ),
    unlessEmpty(
      'text',
      events.map((event) => event.correlationId ?? null),
    ),
    unlessEmpty(
      'text',
      events.map((event) => (event.tags.length === 0 ? null : arrayLiteral(event.tags))),
    ),
    unlessEmpty(
      'text',
      events.map(({ occurredAt }) => (occurredAt === undefined ? null : sqlTime(occurredAt))),
    ),
  ];
  return { parameters, places };
}

/**
 * Whether its commits are looked for in any case. Where a version is expected, a stored commit shows by another one, or, if
 * it is repeated with the version of now, by the unique key of ids.
 */
export function isLookedFor({ expectedVersion, commits }: AppendMember): boolean {
  return expectedCode(expectedVersion) < 0 && commits.some(({ mayBeStored }) => mayBeStored);
}

/** In one order, the same for all callers: no two batches wait for each other's streams. */
export function inLockOrder(members: readonly AppendMember[]): [index: number, member: AppendMember][] {
  return [...members.entries()].sort(([, a], [, b]) =>
    a.streamId < b.streamId ? -1 : Number(a.streamId > b.streamId),
  );
}

/** Returns how many events of the batch are before the member's in its stream. */
function addToStream(
  streams: Map<string, Stream>,
  { streamId, expectedVersion, commits }: AppendMember,
): number {
  let stream = streams.get(streamId);
  if (stream === undefined) {
    streams.set(streamId, (stream = { index: streams.size + 1, count: 0, base: null }));
  }
  const start = stream.count;
  for (const { events } of commits) stream.count += events.length;
  const expected = expectedCode(expectedVersion);
  // What follows another member is behind an event of it.
  if (expected === expectedCode('any') || (expected === expectedCode('streamExists') && start > 0)) {
    return start;
  }
  const base = expected - start;
  stream.base = base >= 0 && (stream.base === null || stream.base === base) ? base : -1;
  return start;
}

/** As the functions in SQL know it. */
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

/** Null instead of an array without a value: there is less to send and to read. */
function unlessEmpty(type: SqlArrayType, values: readonly (string | number | null)[]): SqlValue {
  return values.every((value) => value === null) ? null : arrayOf(type, values);
}
