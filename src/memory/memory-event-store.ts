import type { DomainEvent, EventMetadata, EventToAppend, RecordedEvent } from '../core/events/event.js';
import { assertOptions, integerFrom, isFunction } from '../core/options/options.js';
import { conditionFailed, type CheckedCondition } from '../core/store/append/append-condition.js';
import { AppendListeners } from '../core/store/append/append-listeners.js';
import { checkAppendOptions, checkChainOptions } from '../core/store/append/append-options.js';
import type { Commit } from '../core/store/append/commit-chain.js';
import {
  checkCommits,
  commitExists,
  commitMismatch,
  eventIdsOf,
  isSameCommit,
} from '../core/store/append/commit.js';
import { assertExpectedVersion } from '../core/store/append/expected-version.js';
import { checkMultiAppend, multiResult, type PreparedAppend } from '../core/store/append/multi-append.js';
import type {
  MultiAppendOptions,
  MultiAppendResult,
  StreamAppend,
} from '../core/store/append/multi-stream-appends.js';
import {
  defaultMaxCommitBytes,
  prepareEvents,
  type PreparedEvent,
} from '../core/store/append/prepare-events.js';
import { resultOfStored, type StoredEvent } from '../core/store/append/stored-event.js';
import type { ReaderHints, StoreCapabilities } from '../core/store/capabilities.js';
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
import { matchesFilters, type NormalFilter } from '../core/store/read/filter.js';
import { countThatFits, storedBytes } from '../core/store/read/page-bytes.js';
import {
  aheadOfStore,
  checkAllRead,
  checkFindCommit,
  checkStreamRead,
  notInStore,
} from '../core/store/read/read-options.js';
import { withSettled } from '../core/store/read/settled-position.js';
import {
  checkStatistics,
  checkTrends,
  type StatisticsOptions,
  type StoreStatistics,
  type TrendBucket,
  type TrendsOptions,
} from '../core/store/statistics/statistics.js';
import { boundsOf, fillBuckets, startOfInterval } from '../core/store/statistics/trends.js';
import { parseStreamId } from '../core/store/stream-id.js';
import { MemoryCheckpointStore } from './memory-checkpoint-store.js';
import { MemorySnapshotStore } from './memory-snapshot-store.js';

export interface MemoryEventStoreOptions {
  /** Clock for `recordedAt`, and for `occurredAt` of events that have none. Default: the system's clock. */
  readonly clock?: () => Date;
  /** Most bytes of JSON in one commit. Default 2,000,000. */
  readonly maxCommitBytes?: number;
}

interface KeptEvent extends StoredEvent {
  /** What a page counts it as. */
  readonly bytes: number;
}

/**
 * An event store in the memory of the process, for tests and as the reference for what a store does. It has a list of
 * all events, the same events by stream, and those of each commit. Each method reads or changes them in one go, without
 * awaiting in between, so no other call can interleave.
 */
export class MemoryEventStore implements EventStore, StoreCapabilities, ReaderHints {
  readonly snapshots = new MemorySnapshotStore();
  readonly checkpoints = new MemoryCheckpointStore();

  readonly #storeId = crypto.randomUUID();
  readonly #clock: () => Date;
  readonly #maxCommitBytes: number;
  /** The event of position p stands at p - 1. */
  readonly #all: KeptEvent[] = [];
  readonly #streams = new Map<string, KeptEvent[]>();
  readonly #commits = new Map<string, readonly KeptEvent[]>();
  readonly #listeners = new AppendListeners();

  constructor(options: MemoryEventStoreOptions = {}) {
    assertOptions('MemoryEventStore', options, { clock: isFunction, maxCommitBytes: integerFrom(1) });
    this.#clock = options.clock ?? (() => new Date());
    this.#maxCommitBytes = options.maxCommitBytes ?? defaultMaxCommitBytes;
  }

  async appendToStream<E extends DomainEvent>(
    streamId: string,
    events: readonly EventToAppend<E>[],
    options: AppendOptions = {},
  ): Promise<AppendResult> {
    const condition = checkAppendOptions(streamId, options);
    const { commitId = crypto.randomUUID(), expectedVersion = 'any', metadata } = options;
    const prepared = prepareEvents(events, metadata, this.#maxCommitBytes);
    const append = { streamId, expectedVersion, events: prepared };
    return this.#append([append], commitId, condition)[0] as AppendResult;
  }

  async appendToStreams<E extends DomainEvent>(
    appends: readonly StreamAppend<E>[],
    options: MultiAppendOptions = {},
  ): Promise<MultiAppendResult> {
    const { appends: prepared, condition } = checkMultiAppend(appends, options, this.#maxCommitBytes);
    return multiResult(this.#append(prepared, options.commitId ?? crypto.randomUUID(), condition));
  }

  async appendCommits<E extends DomainEvent>(
    streamId: string,
    commits: readonly Commit<E>[],
    options: { readonly expectedVersion?: ExpectedVersion; readonly signal?: AbortSignal } = {},
  ): Promise<readonly AppendResult[]> {
    checkChainOptions(streamId, options);
    const prepared = checkCommits(commits, this.#maxCommitBytes);

    const existing = prepared
      .map(({ commitId }) => commitId)
      .filter((id) => this.#commits.has(commitKey(streamId, id)));
    if (existing.length > 0) throw commitExists(streamId, existing);
    assertExpectedVersion(streamId, options.expectedVersion ?? 'any', this.#versionOf(streamId));
    const results = prepared.map(({ commitId, events }) =>
      resultOfStored(this.#store(streamId, commitId, events), false),
    );
    this.#listeners.wake();
    return results;
  }

  async readStream<E extends DomainEvent>(
    streamId: string,
    options: ReadStreamOptions = {},
  ): Promise<StreamSlice<E>> {
    const { fromVersion, toVersion, limit, maxBytes, direction } = checkStreamRead(streamId, options);
    const stream = this.#streams.get(streamId) ?? [];
    const version = stream.length;
    const [first, last] =
      direction === 'forward'
        ? [fromVersion ?? 1, Math.min(toVersion ?? version, version)]
        : [Math.max(toVersion ?? 1, 1), Math.min(fromVersion ?? version, version)];
    const inRange = stream.slice(first - 1, Math.max(last, first - 1));
    if (direction === 'backward') inRange.reverse();
    const page = inRange.slice(0, countThatFits(inRange.slice(0, limit), maxBytes, bytesOf));
    return {
      streamId,
      version,
      events: page.map((event) => toRecorded<E>(event)),
      isEnd: page.length === inRange.length,
    };
  }

  async readAll<E extends DomainEvent>(options: ReadAllOptions = {}): Promise<AllSlice<E>> {
    const { after, limit, maxBytes, filters, direction } = checkAllRead(options);
    const end = this.#all.length;
    if (after !== undefined && after > end) throw aheadOfStore(after, this.#storeId, end);
    const step = direction === 'forward' ? 1 : -1;
    const events: KeptEvent[] = [];
    let bytes = 0;
    let position = after ?? (direction === 'forward' ? 0 : end + 1);
    let isEnd = true;
    for (let next = position + step; next >= 1 && next <= end; next += step) {
      const event = this.#all[next - 1] as KeptEvent;
      if (matchesFilters(filters, event)) {
        bytes += event.bytes;
        isEnd = events.length === 0 || (events.length < limit && bytes <= maxBytes);
        if (!isEnd) break;
        events.push(event);
      }
      position = next;
    }
    const slice = {
      events: events.map((event) => toRecorded<E>(event)),
      position: Math.min(position, end),
      isEnd,
      storeId: this.#storeId,
    };
    return direction === 'forward' ? withSettled(slice) : slice;
  }

  async findCommit(streamId: string, commitId: string): Promise<AppendResult | undefined> {
    checkFindCommit(streamId, commitId);
    const commit = this.#commits.get(commitKey(streamId, commitId));
    return commit && resultOfStored(commit, true);
  }

  async statistics(options: StatisticsOptions = {}): Promise<StoreStatistics> {
    const events = this.#matching(checkStatistics(options));
    const [first, last] = [events.at(0), events.at(-1)];
    return {
      total: events.length,
      streams: new Set(events.map((event) => event.streamId)).size,
      byType: Object.fromEntries(countBy(events, (event) => event.type)),
      byCategory: Object.fromEntries(countBy(events, (event) => parseStreamId(event.streamId).category)),
      ...(first && { first: { position: first.position, occurredAt: first.occurredAt } }),
      ...(last && { last: { position: last.position, occurredAt: last.occurredAt } }),
    };
  }

  async trends(options: TrendsOptions): Promise<readonly TrendBucket[]> {
    const { filters, interval } = checkTrends(options);
    const times = this.#matching(filters)
      .map((event) => event.occurredAt)
      .sort();
    const counts = countBy(times, (time) => startOfInterval(time, interval));
    const bounds = boundsOf(filters);
    return fillBuckets(counts, interval, {
      from: bounds.from ?? times.at(0),
      to: bounds.to ?? times.at(-1),
    });
  }

  onAppend(listener: () => void): () => void {
    return this.#listeners.add(listener);
  }

  /** A repeat is answered first, then the versions are compared, then the condition: a repeat would meet its own events. */
  #append(
    appends: readonly PreparedAppend[],
    commitId: string,
    condition: CheckedCondition | undefined,
  ): readonly AppendResult[] {
    const earlier = appends.map(({ streamId }) => this.#commits.get(commitKey(streamId, commitId)));
    if (earlier.some((commit) => commit !== undefined)) {
      return appends.map(({ streamId, events }, index) => {
        const stored = earlier[index] ?? [];
        if (!isSameCommit(stored, events)) throw commitMismatch(streamId, commitId);
        return resultOfStored(stored, true);
      });
    }
    for (const { streamId, expectedVersion } of appends) {
      assertExpectedVersion(streamId, expectedVersion, this.#versionOf(streamId));
    }
    if (condition !== undefined) this.#assertCondition(condition);
    const results = appends.map(({ streamId, events }) =>
      resultOfStored(this.#store(streamId, commitId, events), false),
    );
    this.#listeners.wake();
    return results;
  }

  /** @throws AppendConditionFailedError · PositionAheadOfStoreError */
  #assertCondition({ filter, after }: CheckedCondition): void {
    const { position, storeId } = after;
    const end = this.#all.length;
    if (storeId !== this.#storeId || position > end) throw notInStore(after, this.#storeId, end);
    // The event of position p stands at p - 1.
    const conflict = this.#all.slice(position).find((event) => matchesFilters(filter, event));
    if (conflict !== undefined) throw conditionFailed(position, conflict);
  }

  #store(streamId: string, commitId: string, events: readonly PreparedEvent[]): readonly KeptEvent[] {
    const stream = this.#streams.get(streamId) ?? [];
    const recordedAt = this.#clock().toISOString();
    const stored = eventIdsOf(this.#storeId, streamId, commitId, events.length).map(
      (id, ordinal): KeptEvent => {
        const event = events[ordinal] as PreparedEvent;
        return {
          ...event,
          id,
          streamId,
          version: stream.length + ordinal + 1,
          position: this.#all.length + ordinal + 1,
          commitId,
          occurredAt: event.occurredAt ?? recordedAt,
          recordedAt,
          bytes: storedBytes(event),
        };
      },
    );
    this.#commits.set(commitKey(streamId, commitId), stored);
    this.#streams.set(streamId, stream);
    for (const event of stored) {
      stream.push(event);
      this.#all.push(event);
    }
    return stored;
  }

  #versionOf(streamId: string): number {
    return this.#streams.get(streamId)?.length ?? 0;
  }

  #matching(filters: readonly NormalFilter[] | undefined): readonly KeptEvent[] {
    return this.#all.filter((event) => matchesFilters(filters, event));
  }
}

function commitKey(streamId: string, commitId: string): string {
  return JSON.stringify([streamId, commitId]);
}

function bytesOf({ bytes }: KeptEvent): number {
  return bytes;
}

/** Parsed anew at each read, so that readers can't change what is stored, nor each other's events. */
function toRecorded<E extends DomainEvent>({
  correlationId: _,
  bytes: _bytes,
  ...event
}: KeptEvent): RecordedEvent<E> {
  return {
    ...event,
    tags: [...event.tags],
    data: JSON.parse(event.data) as unknown,
    metadata: JSON.parse(event.metadata) as EventMetadata,
  } as unknown as RecordedEvent<E>;
}

function countBy<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const item of items) counts.set(keyOf(item), (counts.get(keyOf(item)) ?? 0) + 1);
  return counts;
}
