import type { ConflictingEvent } from '../../core/store/append/append-condition.js';
import type { PreparedEvent } from '../../core/store/append/prepare-events.js';
import { sqlStateOf } from '../sql-errors.js';
import { statement, type SqlPort, type SqlStatement, type SqlValue } from '../sql-port.js';
import { answerOf } from './append-answer.js';
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
import type { AppendMember, AppendPart, PreparedCommit } from './append-member.js';
import { lockTags, lockValues } from './tag-locks.js';

export type AppendOutcome =
  | {
      readonly kind: 'appended';
      /** Version and position of the last event of each commit, part by part. */
      readonly commits: readonly PlaceOfCommit[];
    }
  | {
      readonly kind: 'conflict';
      /** The index of the part whose stream is at another version. */
      readonly part: number;
      readonly actualVersion: number;
    }
  /** One of the commits is stored already. */
  | { readonly kind: 'stored' }
  /** The event at the position, or one of the same batch, is in the way of the condition. */
  | { readonly kind: 'refused'; readonly conflict: number | ConflictingEvent }
  /** The condition's position is of another store, or beyond the end. */
  | { readonly kind: 'ahead' };

interface PlaceOfCommit {
  readonly version: number;
  readonly position: number;
}

/** Most single events that are appended by one `append_event` each; for more, one `append_members` is cheaper. */
const maxSingles = 5;

const uniqueViolation = '23505';

/** A single event, with its only commit. */
interface SingleAppend {
  readonly member: AppendMember;
  readonly part: AppendPart;
  readonly commit: PreparedCommit;
  readonly event: PreparedEvent;
  readonly isRepeated: boolean;
}

/** The parameters of `append_event`. */
export const singleParameters: readonly Parameter<SingleAppend>[] = [
  { parameter: 'p_stream_id', type: 'text', valueOf: ({ part }) => part.streamId },
  { parameter: 'p_expected', type: 'bigint', valueOf: ({ part }) => expectedCode(part.expectedVersion) },
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
const appendSingles = (areTagged: boolean): readonly SqlStatement[] =>
  Array.from({ length: maxSingles }, (_, last) => {
    const locks = (last + 1) * singleParameters.length + 1;
    const calls = Array.from({ length: last + 1 }, (_, index) => callOfOne(index));
    return selectAll([limitLocks(locks), ...(areTagged ? [lockTags(locks + 1)] : []), ...calls]);
  });

const appendBatch = (areTagged: boolean): SqlStatement => {
  const locks = batchParameters.length + 1;
  const call = `__schema__.append_members(${typedParameters(batchParameters)})`;
  return selectAll([limitLocks(locks), ...(areTagged ? [lockTags(locks + 1)] : []), call]);
};

const selectAll = (items: readonly string[]): SqlStatement => statement(`select ${items.join(', ')}`);

const singles = { plain: appendSingles(false), tagged: appendSingles(true) };
const batches = { plain: appendBatch(false), tagged: appendBatch(true) };

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

function isSingle({ parts, condition }: AppendMember): boolean {
  const [part] = parts;
  return (
    condition === undefined &&
    parts.length === 1 &&
    part?.commits.length === 1 &&
    part.commits[0]?.events.length === 1
  );
}

/** Appends a few single events in half to two thirds of a batch's time. */
async function appendEach(
  port: SqlPort,
  members: readonly AppendMember[],
  isRepeated: boolean,
  lockTimeout: number | undefined,
): Promise<readonly AppendOutcome[]> {
  const sorted = inLockOrder(members);
  const locks = lockValues(members);
  const statements = locks.length === 0 ? singles.plain : singles.tagged;
  const [row = []] = await port.query(statements[members.length - 1] as SqlStatement, [
    ...sorted.flatMap(([, member]) => valuesOf(member, isRepeated)),
    limitOf(lockTimeout),
    ...locks,
  ]);
  const results = row.slice(-members.length);
  const outcomes: AppendOutcome[] = [];
  for (const [place, [member]] of sorted.entries()) {
    const [outcome, version, position] = numbersOf(results[place] as string) as [number, number, number];
    if (outcome === 0) outcomes[member] = { kind: 'appended', commits: [{ version, position }] };
    else if (outcome === 1) outcomes[member] = { kind: 'conflict', part: 0, actualVersion: version };
    else outcomes[member] = { kind: 'stored' };
  }
  return outcomes;
}

function valuesOf(member: AppendMember, isRepeated: boolean): SqlValue[] {
  const [part] = member.parts as readonly [AppendPart];
  const [commit] = part.commits as readonly [PreparedCommit];
  const [event] = commit.events as readonly [PreparedEvent];
  const single: SingleAppend = { member, part, commit, event, isRepeated };
  return singleParameters.map(({ valueOf }) => valueOf(single));
}

async function appendTogether(
  port: SqlPort,
  members: readonly AppendMember[],
  isRepeated: boolean,
  lockTimeout: number | undefined,
): Promise<readonly AppendOutcome[]> {
  const { values, places, conflicts } = batchArrays(members, isRepeated);
  const locks = lockValues(members);
  const [row = []] = await port.query(locks.length === 0 ? batches.plain : batches.tagged, [
    ...values,
    limitOf(lockTimeout),
    ...locks,
  ]);
  const answer = answerOf(row.at(-1) as string);
  const results: AppendOutcome[] = [];
  let [firstPart, placed] = [0, 0];
  for (const [place, { member, parts }] of places.entries()) {
    const outcomes = parts.map((_, index) => answer.outcomes[firstPart + index] ?? 0);
    const versions = parts.map((_, index) => answer.versions[firstPart + index] as number);
    firstPart += parts.length;
    const [worst, part] = worstOf(outcomes);
    if (worst === undefined) {
      const commits = parts.flatMap((offsets, index) =>
        offsets.map(({ last, events }) => ({
          version: (versions[index] as number) + last,
          position: answer.positions[(placed += events) - 1] as number,
        })),
      );
      results[member] = { kind: 'appended', commits };
    } else if (worst === 'refused') {
      results[member] = refusalOf(answer.conflicts[place], () => {
        const inBatch = conflicts.filter((each) => each.member === place + 1);
        return (
          inBatch.find(({ on }) => results[places[on - 1]?.member as number]?.kind === 'appended') ??
          inBatch[0]
        )?.event as ConflictingEvent;
      });
    } else if (worst === 'conflict') {
      results[member] = { kind: 'conflict', part, actualVersion: versions[part] as number };
    } else {
      results[member] = { kind: 'stored' };
    }
  }
  return results;
}

/** By the outcomes in SQL: what is stored already says more than a version, a version more than the condition. */
function worstOf(
  outcomes: readonly number[],
): readonly [kind: 'stored' | 'conflict' | 'refused' | undefined, part: number] {
  for (const [code, kind] of [
    [2, 'stored'],
    [1, 'conflict'],
    [3, 'refused'],
  ] as const) {
    const part = outcomes.indexOf(code);
    if (part >= 0) return [kind, part];
  }
  return [undefined, -1];
}

function refusalOf(position: number | undefined, inBatch: () => ConflictingEvent): AppendOutcome {
  if (position === -1) return { kind: 'ahead' };
  return { kind: 'refused', conflict: position ?? inBatch() };
}

function limitOf(lockTimeout: number | undefined): SqlValue {
  return lockTimeout === undefined ? null : String(Math.ceil(lockTimeout));
}

/** `(1,2,3)` as numbers. */
function numbersOf(list: string): number[] {
  return list.slice(1, -1).split(',').map(Number);
}

/** A call with the values of {@link valuesOf} at this place. */
function callOfOne(place: number): string {
  return `__schema__.append_event(${typedParameters(singleParameters, place * singleParameters.length)})`;
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
