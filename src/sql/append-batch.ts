import type { ExpectedVersion } from '../core/store/event-store.js';
import type { PreparedEvent } from '../core/store/prepare-events.js';
import { arrayOf, statement, type SqlPort, type SqlRow } from './sql-port.js';

/** What is appended to a stream as a whole or not at all: one commit, or several that chain. */
export interface AppendMember {
  readonly streamId: string;
  readonly expectedVersion: ExpectedVersion;
  readonly commits: readonly PreparedCommit[];
}

export interface PreparedCommit {
  readonly commitId: string;
  readonly eventIds: readonly string[];
  readonly events: readonly PreparedEvent[];
}

export type AppendOutcome =
  | {
      readonly kind: 'appended';
      /** Version and position of the last event of each commit. */
      readonly commits: readonly { readonly version: number; readonly position: number }[];
    }
  | { readonly kind: 'conflict'; readonly actualVersion: number }
  /** One of the commits is stored already. */
  | { readonly kind: 'stored' };

const appendOne = statement(
  'select * from __schema__.append_one($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)',
);

const appendBatch = statement(`select * from __schema__.append_batch(
  $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20::text[]::timestamptz[])`);

/**
 * Appends members in one statement, each with an outcome of its own.
 *
 * @param members no two with the same commit
 */
export async function appendMembers(
  port: SqlPort,
  members: readonly AppendMember[],
): Promise<readonly AppendOutcome[]> {
  const [member] = members;
  const [commit] = member?.commits ?? [];
  return member !== undefined &&
    commit !== undefined &&
    members.length + member.commits.length + commit.events.length === 3
    ? [await appendSingle(port, member, commit)]
    : appendSeveral(port, members);
}

/** The most frequent append has a statement of its own, of about half the time. */
async function appendSingle(
  port: SqlPort,
  { streamId, expectedVersion }: AppendMember,
  { commitId, eventIds: [id = ''], events: [event] }: PreparedCommit,
): Promise<AppendOutcome> {
  const { type, schemaVersion, data, metadata, correlationId, tags, occurredAt } = event as PreparedEvent;
  const [row] = await port.query(appendOne, [
    streamId,
    expectedCode(expectedVersion),
    commitId,
    id,
    type,
    schemaVersion,
    data,
    metadata,
    correlationId ?? null,
    arrayLiteral(tags),
    occurredAt ?? null,
  ]);
  const [outcome, version, position] = (row as SqlRow).map(Number) as [number, number, number];
  return outcomeOf(outcome, version, () => [{ version, position }]);
}

async function appendSeveral(
  port: SqlPort,
  members: readonly AppendMember[],
): Promise<readonly AppendOutcome[]> {
  const streams = new Map<string, { readonly index: number; events: number }>();
  const m: Record<'streams' | 'expected' | 'offsets' | 'counts', number[]> = {
    streams: [],
    expected: [],
    offsets: [],
    counts: [],
  };
  const c = { members: [] as number[], ids: [] as string[], eventIds: [] as string[] };
  const places: number[][] = [[], [], []];
  const [eventMembers, eventCommits, ordinals] = places as [number[], number[], number[]];
  const ids: string[] = [];
  const events: PreparedEvent[] = [];
  for (const [memberIndex, { streamId, expectedVersion, commits }] of members.entries()) {
    let stream = streams.get(streamId);
    if (stream === undefined) streams.set(streamId, (stream = { index: streams.size + 1, events: 0 }));
    m.streams.push(stream.index);
    m.expected.push(expectedCode(expectedVersion));
    m.offsets.push(stream.events);
    let count = 0;
    for (const commit of commits) {
      c.members.push(memberIndex + 1);
      c.ids.push(commit.commitId);
      c.eventIds.push(commit.eventIds[0] as string);
      for (const [index, event] of commit.events.entries()) {
        eventMembers.push(memberIndex + 1);
        eventCommits.push(c.ids.length);
        ordinals.push(++count);
        ids.push(commit.eventIds[index] as string);
        events.push(event);
      }
    }
    m.counts.push(count);
    stream.events += count;
  }
  const [row] = await port.query(appendBatch, [
    arrayOf('text', [...streams.keys()]),
    arrayOf(
      'bigint',
      [...streams.values()].map((stream) => stream.events),
    ),
    arrayOf('integer', m.streams),
    arrayOf('bigint', m.expected),
    arrayOf('bigint', m.offsets),
    arrayOf('bigint', m.counts),
    arrayOf('integer', c.members),
    arrayOf('text', c.ids),
    arrayOf('uuid', c.eventIds),
    arrayOf('integer', eventMembers),
    arrayOf('integer', eventCommits),
    arrayOf('bigint', ordinals),
    arrayOf('uuid', ids),
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
    arrayOf(
      'text',
      events.map((event) => event.correlationId ?? null),
    ),
    arrayOf(
      'text',
      events.map((event) => arrayLiteral(event.tags)),
    ),
    arrayOf(
      'text',
      events.map((event) => event.occurredAt ?? null),
    ),
  ]);
  const [outcomes, versions, positions] = (row as SqlRow).map(numbersOf) as [number[], number[], number[]];
  let placed = 0;
  return members.map(({ commits }, index) =>
    outcomeOf(outcomes[index] as number, versions[index] as number, () => {
      let version = versions[index] as number;
      return commits.map(({ events: { length } }) => {
        version += length;
        placed += length;
        return { version, position: positions[placed - 1] as number };
      });
    }),
  );
}

function outcomeOf(
  outcome: number,
  actualVersion: number,
  commits: () => readonly { readonly version: number; readonly position: number }[],
): AppendOutcome {
  if (outcome === 0) return { kind: 'appended', commits: commits() };
  return outcome === 1 ? { kind: 'conflict', actualVersion } : { kind: 'stored' };
}

function expectedCode(expected: ExpectedVersion): number {
  if (typeof expected === 'number') return expected;
  return { any: -1, streamExists: -2, noStream: 0 }[expected];
}

/** An array of texts as PostgreSQL reads it. */
function arrayLiteral(texts: readonly string[]): string {
  return texts.length === 0
    ? '{}'
    : `{${texts.map((text) => `"${text.replaceAll(/["\\]/g, '\\$&')}"`).join()}}`;
}

/** `{1,2,3}` as numbers; null is none. */
function numbersOf(array: string | null): number[] {
  return array === null ? [] : array.slice(1, -1).split(',').map(Number);
}
