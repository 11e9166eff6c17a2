import type { PreparedEvent } from '../core/store/prepare-events.js';
import type { AppendMember, PreparedCommit } from './append-member.js';
import { arrayLiteral, batchArrays, expectedCode } from './append-arrays.js';
import { statement, type SqlPort } from './sql-port.js';

export type AppendOutcome =
  | {
      readonly kind: 'appended';
      /** Version and position of the last event of each commit. */
      readonly commits: readonly { readonly version: number; readonly position: number }[];
    }
  | { readonly kind: 'conflict'; readonly actualVersion: number }
  /** One of the commits is stored already. */
  | { readonly kind: 'stored' };

// As one value, `(0,5,123)`: to read from a function as from a table takes a fifth of the time of a single append.
const appendOne = statement('select __schema__.append_one($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)');

const appendBatch = statement(`select __schema__.append_batch(
  $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21::text[]::timestamptz[])`);

/**
 * Appends members in one statement, each with an outcome of its own.
 *
 * @param members no two with the same commit
 * @param isRepeated whether they may be stored by an attempt whose reply was lost
 */
export async function appendMembers(
  port: SqlPort,
  members: readonly AppendMember[],
  isRepeated: boolean,
): Promise<readonly AppendOutcome[]> {
  const [member] = members;
  const [commit] = member?.commits ?? [];
  return member !== undefined &&
    commit !== undefined &&
    members.length + member.commits.length + commit.events.length === 3
    ? [await appendSingle(port, member, commit)]
    : appendSeveral(port, members, isRepeated);
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
  const [outcome, version, position] = numbersOf(row?.[0] as string) as [number, number, number];
  return outcomeOf(outcome, version, () => [{ version, position }]);
}

async function appendSeveral(
  port: SqlPort,
  members: readonly AppendMember[],
  isRepeated: boolean,
): Promise<readonly AppendOutcome[]> {
  const { parameters, places } = batchArrays(members, isRepeated);
  const [row] = await port.query(appendBatch, parameters);
  const { outcomes, versions, positions } = arraysOf(row?.[0] as string);
  const results: AppendOutcome[] = [];
  let placed = 0;
  for (const [place, { member, offsets }] of places.entries()) {
    const version = versions[place] as number;
    results[member] = outcomeOf(outcomes[place] ?? 0, version, () =>
      offsets.map(({ last, events }) => ({
        version: version + last,
        position: positions[(placed += events) - 1] as number,
      })),
    );
  }
  return results;
}

function outcomeOf(
  outcome: number,
  actualVersion: number,
  commits: () => readonly { readonly version: number; readonly position: number }[],
): AppendOutcome {
  if (outcome === 0) return { kind: 'appended', commits: commits() };
  return outcome === 1 ? { kind: 'conflict', actualVersion } : { kind: 'stored' };
}

/** The answer of `append_batch`, of which the first or the last may be null: `(,"{5,6}","{122,123}")`. */
function arraysOf(row: string): Readonly<Record<'outcomes' | 'versions' | 'positions', readonly number[]>> {
  const [first = [], second = [], third = []] = (row.match(/\{[^}]*\}/g) ?? []).map(numbersOf);
  return row.startsWith('(,')
    ? { outcomes: [], versions: first, positions: second }
    : { outcomes: first, versions: second, positions: third };
}

/** `{1,2,3}` or `(1,2,3)` as numbers. */
function numbersOf(list: string): number[] {
  return list.slice(1, -1).split(',').map(Number);
}
