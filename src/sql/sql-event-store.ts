import type { DomainEvent, EventToAppend } from '../core/events/event.js';
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
import { prepareEvents, type PreparedEvent } from '../core/store/append/prepare-events.js';
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
  StreamSlice,
} from '../core/store/event-store.js';
import { checkAllRead, checkFindCommit, checkStreamRead } from '../core/store/read/read-options.js';
import type { SnapshotStore } from '../core/store/snapshot.js';
import type {
  StatisticsOptions,
  StoreStatistics,
  TrendBucket,
  TrendsOptions,
} from '../core/store/statistics/statistics.js';
import { checkStatistics, checkTrends } from '../core/store/statistics/statistics.js';
import { AllReader, type AllReaderOptions } from './all-reader.js';
import type { AppendOutcome } from './append-batch.js';
import type { AppendMember, PreparedCommit } from './append-member.js';
import type { QueuedOutcome } from './append-queue.js';
import type { EventNamespace } from './event-namespace.js';
import type { StoredEvent } from './event-row.js';
import { retrying } from './retrying.js';
import { SqlCheckpointStore } from './sql-checkpoint-store.js';
import { translateSqlError } from './sql-errors.js';
import type { SqlPort } from './sql-port.js';
import { SqlSnapshotStore } from './sql-snapshot-store.js';
import { readStatistics, readTrends } from './statistics.js';
import { readCommit, readStreamPage } from './stream-reader.js';

/** What became of an append, whose ids derive from this namespace. */
interface Appended {
  readonly commits: readonly PreparedCommit[];
  readonly outcome: QueuedOutcome;
  readonly namespace: string;
}

export interface SqlEventStoreOptions extends AllReaderOptions {
  readonly namespace: EventNamespace;
  readonly maxCommitBytes: number;
  /** Most milliseconds that a read is tried again for when the database can't be reached. */
  readonly retryTimeout: number;
  readonly append: (member: AppendMember, signal: AbortSignal | undefined) => Promise<QueuedOutcome>;
}

/**
 * What the stores in PostgreSQL and PGlite have in common: all but the connections, and how appends come to the database.
 */
export class SqlEventStore implements EventStore, StoreCapabilities {
  readonly snapshots: SnapshotStore;
  readonly checkpoints: CheckpointStore;

  readonly #port: SqlPort;
  readonly #options: SqlEventStoreOptions;
  readonly #reader: AllReader;

  /** @internal */
  constructor(port: SqlPort, options: SqlEventStoreOptions) {
    this.#port = {
      query: (...args) => retrying(() => port.query(...args), performance.now() + options.retryTimeout),
    };
    this.#options = options;
    const typed: SqlPort = { query: (...args) => typedErrors(() => this.#port.query(...args)) };
    const { probe = async () => undefined } = options;
    this.#reader = new AllReader(typed, {
      settleTimeout: options.settleTimeout,
      probe: () => typedErrors(() => retrying(probe, performance.now() + options.retryTimeout)),
    });
    this.snapshots = new SqlSnapshotStore(typed);
    this.checkpoints = new SqlCheckpointStore(typed);
  }

  async appendToStream<E extends DomainEvent>(
    streamId: string,
    events: readonly EventToAppend<E>[],
    options: AppendOptions = {},
  ): Promise<AppendResult> {
    checkAppendOptions(streamId, options);
    const { commitId = crypto.randomUUID(), expectedVersion = 'any', metadata, signal } = options;
    const isGiven = options.commitId !== undefined;
    const prepared = prepareEvents(events, metadata, this.#options.maxCommitBytes);
    const { outcome, commits, namespace } = await this.#append(commitId, signal, (namespace) => ({
      streamId,
      expectedVersion,
      commits: [prepareCommit(namespace, streamId, commitId, prepared, isGiven)],
    }));
    if (outcome.kind !== 'stored') {
      return resultsOf(streamId, expectedVersion, commits, outcome)[0] as AppendResult;
    }

    const stored = await typedErrors(() => readCommit(this.#port, namespace, streamId, commitId), commitId);
    if (!isSameCommit(stored, prepared)) throw commitMismatch(streamId, commitId);
    // With an id of the store's own choice it can only be this append, whose first reply was lost.
    return storedResult(stored, isGiven);
  }

  async appendCommits<E extends DomainEvent>(
    streamId: string,
    commits: readonly Commit<E>[],
    options: { readonly expectedVersion?: ExpectedVersion; readonly signal?: AbortSignal } = {},
  ): Promise<readonly AppendResult[]> {
    checkChainOptions(streamId, options);
    const { expectedVersion = 'any', signal } = options;
    const checked = checkCommits(commits, this.#options.maxCommitBytes);
    const firstId = checked[0]?.commitId;
    const {
      outcome,
      commits: prepared,
      namespace,
    } = await this.#append(firstId, signal, (namespace) => ({
      streamId,
      expectedVersion,
      commits: checked.map(({ commitId, events }) =>
        prepareCommit(namespace, streamId, commitId, events, true),
      ),
    }));
    if (outcome.kind !== 'stored') return resultsOf(streamId, expectedVersion, prepared, outcome);

    const stored = await typedErrors(
      () =>
        Promise.all(prepared.map(({ commitId }) => readCommit(this.#port, namespace, streamId, commitId))),
      firstId,
    );
    const isOwn =
      outcome.wasRepeated &&
      prepared.every(({ events }, index) => isOwnCommit(stored[index] as readonly StoredEvent[], events));
    if (isOwn) return stored.map((each) => storedResult(each, false));
    const existing = prepared.filter((_, index) => (stored[index] as readonly StoredEvent[]).length > 0);
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
    // From a server that is no primary yet, or no more.
    const slice = await retrying(
      () => this.#reader.read<E>(read, options.signal),
      performance.now() + this.#options.retryTimeout,
      options.signal,
    );
    options.signal?.throwIfAborted();
    return slice;
  }

  async findCommit(streamId: string, commitId: string): Promise<AppendResult | undefined> {
    checkFindCommit(streamId, commitId);
    const { namespace } = this.#options;
    const stored = await typedErrors(async () =>
      readCommit(this.#port, namespace.known ?? (await namespace.read(this.#port)), streamId, commitId),
    );
    return stored.length === 0 ? undefined : storedResult(stored, true);
  }

  async statistics(options: StatisticsOptions = {}): Promise<StoreStatistics> {
    const filters = checkStatistics(options);
    return typedErrors(() => readStatistics(this.#port, filters));
  }

  async trends(options: TrendsOptions): Promise<readonly TrendBucket[]> {
    const { filters, interval } = checkTrends(options);
    return typedErrors(() => readTrends(this.#port, filters, interval));
  }

  /** An error of an append says with which commit id to ask again. */
  async #append(
    commitId: string | undefined,
    signal: AbortSignal | undefined,
    memberOf: (namespace: string) => AppendMember,
  ): Promise<Appended> {
    const append = async (namespace: string): Promise<Appended> => {
      const member = memberOf(namespace);
      const outcome = await this.#options.append(member, signal);
      return { outcome, commits: member.commits, namespace };
    };
    try {
      return await this.#options.namespace.use(this.#port, append);
    } catch (error) {
      // Given up before it was sent: no error of a database.
      if (signal?.aborted === true && error === signal.reason) throw error;
      throw translateSqlError(error, commitId);
    }
  }
}

async function typedErrors<T>(run: () => Promise<T>, commitId?: string): Promise<T> {
  try {
    return await run();
  } catch (error) {
    throw translateSqlError(error, commitId);
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
function resultsOf(
  streamId: string,
  expectedVersion: ExpectedVersion,
  commits: readonly PreparedCommit[],
  outcome: Exclude<AppendOutcome, { kind: 'stored' }>,
): readonly AppendResult[] {
  if (outcome.kind === 'conflict') assertExpectedVersion(streamId, expectedVersion, outcome.actualVersion);
  const places = outcome.kind === 'appended' ? outcome.commits : [];
  return commits.map(({ commitId, eventIds }, index) => ({
    streamId,
    commitId,
    ...(places[index] as (typeof places)[number]),
    eventIds,
    deduplicated: false,
  }));
}

function storedResult(events: readonly StoredEvent[], deduplicated: boolean): AppendResult {
  const { streamId, commitId, version, position } = events.at(-1) as StoredEvent;
  return { streamId, commitId, version, position, eventIds: events.map((event) => event.id), deduplicated };
}
