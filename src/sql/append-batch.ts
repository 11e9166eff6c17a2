import type { PreparedEvent } from '../core/store/append/prepare-events.js';
import { arrayLiteral, batchArrays, expectedCode, inLockOrder, isLookedFor } from './append-arrays.js';
import type { AppendMember, PreparedCommit } from './append-member.js';
import { sqlStateOf } from './sql-errors.js';
import { statement, type SqlPort, type SqlStatement, type SqlValue } from './sql-port.js';
import { sqlTime } from './sql-time.js';

export type AppendOutcome =
  | {
      readonly kind: 'appended';
      /** Version and position of the last event of each commit. */
      readonly commits: readonly { readonly version: number; readonly position: number }[];
    }
  | { readonly kind: 'conflict'; readonly actualVersion: number }
  /** One of the commits is stored already. */
  | { readonly kind: 'stored' };

/** How many values one call of `append_one` takes. */
const valuesOfOne = 12;

/** How many single events are appended by a function each; more are cheaper in one function for all. */
const maxSingles = 5;

const uniqueViolation = '23505';

/** The types of the parameters of `append_one`. */
const typesOfOne = [
  ...['text', 'bigint', 'boolean', 'text', 'uuid', 'text'],
  ...['integer', 'json', 'json', 'text', 'text[]', 'timestamptz'],
];

// How long a stream's lock is waited for, before it is: nobody else shall wait for it longer. Of this statement alone where it is a
// transaction of its own, and with null as the caller of a larger one has it.
const limitLocks = (parameter: number): string =>
  `pg_catalog.set_config('lock_timeout',
    coalesce($${parameter}::pg_catalog.text, pg_catalog.current_setting('lock_timeout')), true)`;

// Each as one value, `(0,5,123)`: to read from a function as from a table takes a fifth of the time of a single append.
// PostgreSQL calls them from left to right, so streams are locked in order here, too.
const appendSingles = Array.from({ length: maxSingles }, (_, last) =>
  statement(
    `select ${limitLocks((last + 1) * valuesOfOne + 1)}, ${Array.from({ length: last + 1 }, (_, index) => callOfOne(index)).join()}`,
  ),
);

/** The types of the parameters of `append_batch`. */
const typesOfBatch = [
  ...[
    'text[]',
    'bigint[]',
    'bigint[]',
    'integer[]',
    'bigint[]',
    'bigint[]',
    'bigint[]',
    'integer[]',
    'uuid[]',
  ],
  ...['boolean', 'text[]', 'integer[]', 'integer[]', 'bigint[]', 'uuid[]', 'text[]', 'integer[]', 'json[]'],
  ...['json[]', 'text[]', 'text[]', 'text[]::timestamptz[]'],
];

const appendBatch = statement(
  `select ${limitLocks(typesOfBatch.length + 1)}, __schema__.append_batch(${typedParameters(typesOfBatch)})`,
);

/**
 * Appends members in one statement, each with an outcome of its own.
 *
 * @param members no two with the same commit
 * @param isRepeated whether they may be stored by an attempt whose reply was lost
 * @param lockTimeout most milliseconds to wait for the lock of a stream; default: what the session has
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
    // A commit was sent again with the version that its stream has by now. Nothing is appended; look for it first.
    if (isRepeated || sqlStateOf(error) !== uniqueViolation) throw error;
    return append(port, members, true, lockTimeout);
  }
}

function isSingle({ commits }: AppendMember): boolean {
  return commits.length === 1 && commits[0]?.events.length === 1;
}

/** A few single events, in half to two thirds of the time. */
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
  const { streamId, expectedVersion, commits } = member;
  const [{ commitId, eventIds, events }] = commits as readonly [PreparedCommit];
  const [event] = events;
  const { type, schemaVersion, data, metadata, correlationId, tags, occurredAt } = event as PreparedEvent;
  return [
    streamId,
    expectedCode(expectedVersion),
    isRepeated || isLookedFor(member),
    commitId,
    eventIds[0] as string,
    type,
    schemaVersion,
    data,
    metadata,
    correlationId ?? null,
    arrayLiteral(tags),
    occurredAt === undefined ? null : sqlTime(occurredAt),
  ];
}

async function appendTogether(
  port: SqlPort,
  members: readonly AppendMember[],
  isRepeated: boolean,
  lockTimeout: number | undefined,
): Promise<readonly AppendOutcome[]> {
  const { parameters, places } = batchArrays(members, isRepeated);
  const [row] = await port.query(appendBatch, [...parameters, limitOf(lockTimeout)]);
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

/** A call with the values of {@link valuesOf} at this place. */
function callOfOne(place: number): string {
  return `__schema__.append_one(${typedParameters(typesOfOne, place * typesOfOne.length)})`;
}

/**
 * `$1::…, $2::…`. Without a type PostgreSQL would choose among functions of the same name, and prefer one of texts that
 * somebody else has put beside ours.
 */
function typedParameters(types: readonly string[], before = 0): string {
  return types
    .map(
      (type, index) =>
        `$${before + index + 1}::${type.replaceAll(/text|uuid|json|timestamptz/g, 'pg_catalog.$&')}`,
    )
    .join(', ');
}
