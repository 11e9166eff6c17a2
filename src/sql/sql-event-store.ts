import type { EventStoreError } from '../core/errors/event-store-error.js';
import type { DomainEvent, EventToAppend } from '../core/events/event.js';
import { conditionFailed, type CheckedCondition } from '../core/store/append/append-condition.js';
import { checkAppendOptions, checkChainOptions } from '../core/store/append/append-options.js';
import type { Commit } from '../core/store/append/commit-chain.js';
import {
  checkCommits,
  commitExists,
  commitMismatch,
  eventIdsOf,
  isOwnCommit,
  isSameCommit,
} from '../core/store/append/commit.js';
import { assertExpectedVersion } from '../core/store/append/expected-version.js';
import { checkMultiAppend, multiResult, type PreparedAppend } from '../core/store/append/multi-append.js';
import type {
  MultiAppendOptions,
  MultiAppendResult,
  StreamAppend,
} from '../core/store/append/multi-stream-appends.js';
import { prepareEvents, type PreparedEvent } from '../core/store/append/prepare-events.js';
import { resultOfStored } from '../core/store/append/stored-event.js';
import type { StoreCapabilities } from '../core/store/capabilities.js';
import type { CheckpointStore } from '../core/store/checkpoint.js';
import type {
  AllSlice,
  AppendOptions,
  AppendResult,
  EventStore,
  ExpectedVersion,
  ReadAllOptions,
  ReadStreamOptions,
  SettledPosition,
  StreamSlice,
} from '../core/store/event-store.js';
import {
  checkAllRead,
  checkFindCommit,
  checkStreamRead,
  notInStore,
} from '../core/store/read/read-options.js';
import type { SnapshotStore } from '../core/store/snapshot.js';
import {
  checkStatistics,
  checkTrends,
  type StatisticsOptions,
  type StoreStatistics,
  type TrendBucket,
  type TrendsOptions,
} from '../core/store/statistics/statistics.js';
import type { AppendOutcome } from './append/append-batch.js';
import { toMember, type AppendMember, type AppendPart, type PreparedCommit } from './append/append-member.js';
import { AllReader } from './read/all-reader.js';
import { readConflict, readEnd } from './read/conflict.js';
import { readStatistics, readTrends } from './read/statistics.js';
import { readCommit, readStreamPage } from './read/stream-reader.js';
import { retrying, retryingPort } from './retrying.js';
import type { AnsweredAppend, SqlBackend } from './sql-backend.js';
import { SqlCheckpointStore } from './sql-checkpoint-store.js';
import { translateSqlError } from './sql-errors.js';
import type { SqlPort } from './sql-port.js';
import { SqlSnapshotStore } from './sql-snapshot-store.js';
import { typedErrors, typedPort } from './typed-errors.js';

/** The outcome of an append, with the namespace that its event ids derive from. */
interface Appended {
  readonly parts: readonly AppendPart[];
  readonly outcome: AnsweredAppend;
  readonly namespace: string;
}

/**
 * The common part of the stores in PostgreSQL and PGlite: all but the connections and the sending of appends.
 */
export class SqlEventStore implements EventStore, StoreCapabilities {
  readonly snapshots: SnapshotStore;
  readonly checkpoints: CheckpointStore;

  readonly #backend: SqlBackend;
  /** The port for reads; it throws the driver's errors. */
  readonly #port: SqlPort;
  readonly #reader: AllReader;

  /** @internal */
  constructor(backend: SqlBackend) {
    const { retryTimeout, settleTimeout } = backend.limits;
    this.#backend = backend;
    this.#port = retryingPort(backend.reads, retryTimeout);
    const typed = typedPort(this.#port);
    const probe = async (): Promise<void> => backend.probe?.();
    this.#reader = new AllReader(typed, {
      settleTimeout,
      probe: () => typedErrors(() => retrying(probe, performance.now() + retryTimeout)),
    });
    this.snapshots = new SqlSnapshotStore(typed);
    this.checkpoints = new SqlCheckpointStore(typed);
  }

  async appendToStream<E extends DomainEvent>(
    streamId: string,
    events: readonly EventToAppend<E>[],
    options: AppendOptions = {},
  ): Promise<AppendResult> {
    const condition = checkAppendOptions(streamId, options);
    const { expectedVersion = 'any', metadata } = options;
    const prepared = prepareEvents(events, metadata, this.#backend.limits.maxCommitBytes);
    const append = { streamId, expectedVersion, events: prepared };
    const [result] = await this.#appendCommit([append], condition, options);
    return result as AppendResult;
  }

  async appendToStreams<E extends DomainEvent>(
    appends: readonly StreamAppend<E>[],
    options: MultiAppendOptions = {},
  ): Promise<MultiAppendResult> {
    const { maxCommitBytes } = this.#backend.limits;
    const { appends: prepared, condition } = checkMultiAppend(appends, options, maxCommitBytes);
    return multiResult(await this.#appendCommit(prepared, condition, options));
  }

  async appendCommits<E extends DomainEvent>(
    streamId: string,
    commits: readonly Commit<E>[],
    options: { readonly expectedVersion?: ExpectedVersion; readonly signal?: AbortSignal } = {},
  ): Promise<readonly AppendResult[]> {
    checkChainOptions(streamId, options);
    const { expectedVersion = 'any', signal } = options;
    const checked = checkCommits(commits, this.#backend.limits.maxCommitBytes);
    const firstId = checked[0]?.commitId;
    const { outcome, parts, namespace } = await this.#append(firstId, signal, (namespace) => {
      const commits = checked.map(({ commitId, events }) =>
        prepareCommit(namespace, streamId, commitId, events, true),
      );
      return toMember([{ streamId, expectedVersion, commits }]);
    });
    if (outcome.kind !== 'stored') return resultsOf(parts, outcome);

    const prepared = parts.flatMap(({ commits }) => commits);
    const found = await typedErrors(
      () =>
        Promise.all(
          prepared.map(async ({ commitId, events }) => ({
            commitId,
            events,
            stored: await readCommit(this.#port, namespace, streamId, commitId),
          })),
        ),
      firstId,
    );
    const isOwn = outcome.wasRepeated && found.every(({ stored, events }) => isOwnCommit(stored, events));
    if (isOwn) return found.map(({ stored }) => resultOfStored(stored, false));
    const existing = found.filter(({ stored }) => stored.length > 0);
    throw commitExists(
      streamId,
      existing.map(({ commitId }) => commitId),
    );
  }

  async readStream<E extends DomainEvent>(
    streamId: string,
    options: ReadStreamOptions = {},
  ): Promise<StreamSlice<E>> {
    const read = checkStreamRead(streamId, options);
    const slice = await typedErrors(() => readStreamPage<E>(this.#port, streamId, read));
    options.signal?.throwIfAborted();
    return slice;
  }

  async readAll<E extends DomainEvent>(options: ReadAllOptions = {}): Promise<AllSlice<E>> {
    const read = checkAllRead(options);
    // The server may not be a primary yet, or no longer be one.
    const slice = await retrying(
      () => this.#reader.read<E>(read, options.signal),
      performance.now() + this.#backend.limits.retryTimeout,
      options.signal,
    );
    options.signal?.throwIfAborted();
    return slice;
  }

  async findCommit(streamId: string, commitId: string): Promise<AppendResult | undefined> {
    checkFindCommit(streamId, commitId);
    const { namespace } = this.#backend;
    const stored = await typedErrors(async () =>
      readCommit(this.#port, namespace.known ?? (await namespace.read(this.#port)), streamId, commitId),
    );
    return stored.length === 0 ? undefined : resultOfStored(stored, true);
  }

  async statistics(options: StatisticsOptions = {}): Promise<StoreStatistics> {
    const filters = checkStatistics(options);
    return typedErrors(() => readStatistics(this.#port, filters));
  }

  async trends(options: TrendsOptions): Promise<readonly TrendBucket[]> {
    const { filters, interval } = checkTrends(options);
    return typedErrors(() => readTrends(this.#port, filters, interval));
  }

  /** Appends a commit to one stream or several. @returns the result of each part */
  async #appendCommit(
    appends: readonly PreparedAppend[],
    condition: CheckedCondition | undefined,
    options: { readonly commitId?: string; readonly signal?: AbortSignal },
  ): Promise<readonly AppendResult[]> {
    const { commitId = crypto.randomUUID(), signal } = options;
    const isGiven = options.commitId !== undefined;
    const { outcome, parts, namespace } = await this.#append(commitId, signal, (namespace) =>
      toMember(
        appends.map(({ streamId, expectedVersion, events }) => ({
          streamId,
          expectedVersion,
          commits: [prepareCommit(namespace, streamId, commitId, events, isGiven)],
        })),
        condition,
      ),
    );
    if (outcome.kind === 'refused' || outcome.kind === 'ahead') {
      throw await typedErrors(() => this.#refusal(outcome, (condition as CheckedCondition).after), commitId);
    }
    if (outcome.kind !== 'stored') return resultsOf(parts, outcome);

    return typedErrors(
      () =>
        Promise.all(
          appends.map(async ({ streamId, events }) => {
            const stored = await readCommit(this.#port, namespace, streamId, commitId);
            if (!isSameCommit(stored, events)) throw commitMismatch(streamId, commitId);
            // If the store chose the id, the commit can only be this append's, whose first reply was lost.
            return resultOfStored(stored, isGiven);
          }),
        ),
      commitId,
    );
  }

  async #refusal(
    outcome: Extract<AppendOutcome, { kind: 'refused' | 'ahead' }>,
    after: SettledPosition,
  ): Promise<EventStoreError> {
    if (outcome.kind === 'ahead') {
      const { storeId, lastPosition } = await readEnd(this.#port);
      return notInStore(after, storeId, lastPosition);
    }
    const { conflict } = outcome;
    return conditionFailed(
      after.position,
      typeof conflict === 'number' ? await readConflict(this.#port, conflict) : conflict,
    );
  }

  /** Its errors name the commit id to retry with. */
  async #append(
    commitId: string | undefined,
    signal: AbortSignal | undefined,
    memberOf: (namespace: string) => AppendMember,
  ): Promise<Appended> {
    const { namespace: ofStore, appends } = this.#backend;
    try {
      const found = ofStore.ofAppend(this.#port);
      // Awaited only if unknown: appends keep the order of their calls.
      const namespace = typeof found === 'string' ? found : await found;
      const member = memberOf(namespace);
      const outcome = await appends.append(member, signal);
      return { outcome, parts: member.parts, namespace };
    } catch (error) {
      // Aborted before it was sent: no error of the database.
      if (signal?.aborted === true && error === signal.reason) throw error;
      throw translateSqlError(error, commitId);
    }
  }
}

function prepareCommit(
  namespace: string,
  streamId: string,
  commitId: string,
  events: readonly PreparedEvent[],
  mayBeStored: boolean,
): PreparedCommit {
  const eventIds = eventIdsOf(namespace, streamId, commitId, events.length);
  return { commitId, mayBeStored, eventIds, events };
}

/** @throws VersionConflictError */
function resultsOf(parts: readonly AppendPart[], outcome: AppendOutcome): readonly AppendResult[] {
  if (outcome.kind === 'conflict') {
    const { streamId, expectedVersion } = parts[outcome.part] as AppendPart;
    assertExpectedVersion(streamId, expectedVersion, outcome.actualVersion);
  }
  const places = outcome.kind === 'appended' ? outcome.commits : [];
  return parts
    .flatMap(({ streamId, commits }) => commits.map((commit) => ({ streamId, ...commit })))
    .map(({ streamId, commitId, eventIds }, index) => ({
      streamId,
      commitId,
      ...(places[index] as (typeof places)[number]),
      eventIds,
      deduplicated: false,
    }));
}
