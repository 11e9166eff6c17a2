import type { PreparedEvent } from '../../core/store/append/prepare-events.js';
import { sqlStateOf } from '../sql-errors.js';
import { statement, type SqlPort, type SqlStatement, type SqlValue } from '../sql-port.js';
import {
  arrayLiteral,
  batchArrays,
  batchParameters,
  expectedCode,
  inLockOrder,
  isLookedFor,
  timeOf,
  type Parameter,
} from './append-arrays.js';
import type { AppendMember, PreparedCommit } from './append-member.js';

export type AppendOutcome =
  | {
      readonly kind: 'appended';
      /** Version and position of the last event of each commit. */
      readonly commits: readonly { readonly version: number; readonly position: number }[];
    }
  | { readonly kind: 'conflict'; readonly actualVersion: number }
  /** One of the commits is stored already. */
  | { readonly kind: 'stored' };

/** Most single events that are appended by one `append_one` each; for more, one `append_batch` is cheaper. */
const maxSingles = 5;

const uniqueViolation = '23505';

/** A single event, with its only commit. */
interface SingleAppend {
  readonly member: AppendMember;
  readonly commit: PreparedCommit;
  readonly event: PreparedEvent;
  readonly isRepeated: boolean;
}

/** The parameters of `append_one`. */
export const singleParameters: readonly Parameter<SingleAppend>[] = [
  { parameter: 'p_stream_id', type: 'text', valueOf: ({ member }) => member.streamId },
  { parameter: 'p_expected', type: 'bigint', valueOf: ({ member }) => expectedCode(member.expectedVersion) },
  {
    parameter: 'p_is_checked',
    type: 'boolean',
    valueOf: ({ member, isRepeated }) => isRepeated || isLookedFor(member),
  },
  { parameter: 'p_commit_id', type: 'text', valueOf: ({ commit }) => commit.commitId },
  { parameter: 'p_id', type: 'uuid', valueOf: ({ commit }) => commit.eventIds[0] as string },
  { parameter: 'p_type', type: 'text', valueOf: ({ event }) => event.type },
  { parameter: 'p_schema_version', type: 'integer', valueOf: ({ event }) => event.schemaVersion },
  { parameter: 'p_data', type: 'json', valueOf: ({ event }) => event.data },
  { parameter: 'p_metadata', type: 'json', valueOf: ({ event }) => event.metadata },
  { parameter: 'p_correlation_id', type: 'text', valueOf: ({ event }) => event.correlationId ?? null },
  { parameter: 'p_tags', type: 'text[]', valueOf: ({ event }) => arrayLiteral(event.tags) },
  { parameter: 'p_occurred_at', type: 'timestamptz', valueOf: ({ event }) => timeOf(event) },
];

// Limits the wait for a stream's lock before the wait begins, so that nobody else waits longer for it. The limit ends
// with this statement if it is a transaction of its own; null keeps the limit of a caller's transaction.
const limitLocks = (parameter: number): string =>
  `pg_catalog.set_config('lock_timeout',
    coalesce($${parameter}::pg_catalog.text, pg_catalog.current_setting('lock_timeout')), true)`;

// Each result is one value, `(0,5,123)`: reading a function like a table takes a fifth of the time of a single append.
// PostgreSQL calls the functions from left to right, so they lock streams in order, too.
const appendSingles = Array.from({ length: maxSingles }, (_, last) =>
  statement(
    `select ${limitLocks((last + 1) * singleParameters.length + 1)}, ${Array.from({ length: last + 1 }, (_, index) => callOfOne(index)).join()}`,
  ),
);

const appendBatch = statement(
  `select ${limitLocks(batchParameters.length + 1)}, __schema__.append_batch(${typedParameters(batchParameters)})`,
);

/**
 * Appends members in one statement, each with an outcome of its own.
 *
 * @param members no two with the same commit
 * @param isRepeated whether an attempt whose reply was lost may have stored them
 * @param lockTimeout most milliseconds to wait for the lock of a stream; default: the session's
 */
export async function appendMembers(
  port: SqlPort,
  members: readonly AppendMember[],
  isRepeated: boolean,
  lockTimeout?: number,
): Promise<readonly AppendOutcome[]> {
  const append = members.length <= maxSingles && members.every(isSingle) ? appendEach : appendTogether;
  try {
    return await append(port, members, isRepeated, lockTimeout);
  } catch (error) {
    // A commit was sent again with its stream's current version. Nothing was appended; look for the commit first.
    if (isRepeated || sqlStateOf(error) !== uniqueViolation) throw error;
    return append(port, members, true, lockTimeout);
  }
}

function isSingle({ commits }: AppendMember): boolean {
  return commits.length === 1 && commits[0]?.events.length === 1;
}

/** Appends a few single events in half to two thirds of a batch's time. */
async function appendEach(
  port: SqlPort,
  members: readonly AppendMember[],
  isRepeated: boolean,
  lockTimeout: number | undefined,
): Promise<readonly AppendOutcome[]> {
  const sorted = inLockOrder(members);
  const [row = []] = await port.query(appendSingles[members.length - 1] as SqlStatement, [
    ...sorted.flatMap(([, member]) => valuesOf(member, isRepeated)),
    limitOf(lockTimeout),
  ]);
  const outcomes: AppendOutcome[] = [];
  for (const [place, [member]] of sorted.entries()) {
    const [outcome, version, position] = numbersOf(row[place + 1] as string) as [number, number, number];
    outcomes[member] = outcomeOf(outcome, version, () => [{ version, position }]);
  }
  return outcomes;
}

function valuesOf(member: AppendMember, isRepeated: boolean): SqlValue[] {
  const [commit] = member.commits as readonly [PreparedCommit];
  const [event] = commit.events as readonly [PreparedEvent];
  const single: SingleAppend = { member, commit, event, isRepeated };
  return singleParameters.map(({ valueOf }) => valueOf(single));
}

async function appendTogether(
  port: SqlPort,
  members: readonly AppendMember[],
  isRepeated: boolean,
  lockTimeout: number | undefined,
): Promise<readonly AppendOutcome[]> {
  const { values, places } = batchArrays(members, isRepeated);
  const [row] = await port.query(appendBatch, [...values, limitOf(lockTimeout)]);
  const { outcomes, versions, positions } = arraysOf(row?.[1] as string);
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

function limitOf(lockTimeout: number | undefined): SqlValue {
  return lockTimeout === undefined ? null : String(Math.ceil(lockTimeout));
}

function outcomeOf(
  outcome: number,
  actualVersion: number,
  commits: () => readonly { readonly version: number; readonly position: number }[],
): AppendOutcome {
  if (outcome === 0) return { kind: 'appended', commits: commits() };
  return outcome === 1 ? { kind: 'conflict', actualVersion } : { kind: 'stored' };
}

/** The answer of `append_batch`, whose first or last array may be null: `(,"{5,6}","{122,123}")`. */
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

/** A call with the values of {@link valuesOf} at this place. */
function callOfOne(place: number): string {
  return `__schema__.append_one(${typedParameters(singleParameters, place * singleParameters.length)})`;
}

/**
 * `$1::…, $2::…`. Without types, PostgreSQL would choose among functions of the same name, and prefer one with
 * parameters of type text that somebody else has put beside ours.
 */
function typedParameters(parameters: readonly { readonly type: string }[], before = 0): string {
  return parameters
    .map(
      ({ type }, index) =>
        `$${before + index + 1}::${type.replaceAll(/text|uuid|json|timestamptz/g, 'pg_catalog.$&')}`,
    )
    .join(', ');
}
