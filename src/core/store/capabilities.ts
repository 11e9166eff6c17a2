import type { CommitChain } from './append/commit-chain.js';
import type { MultiStreamAppends } from './append/multi-stream-appends.js';
import type { CheckpointStore } from './checkpoint.js';
import type { SnapshotStore } from './snapshot.js';
import type { EventStatistics } from './statistics/statistics.js';

/** What a store may do beyond {@link EventStore}. */
export interface StoreCapabilities extends CommitChain, MultiStreamAppends, EventStatistics {
  readonly snapshots: SnapshotStore;
  readonly checkpoints: CheckpointStore;
}

/** Optional members of a store that make reading faster and change nothing else. */
export interface ReaderHints {
  /** True if iterators should read the next page while this one is used. */
  readonly readsAhead?: boolean;
  /**
   * Calls back after something may have been appended. It may come twice, late, or not at all. What the
   * listener throws is ignored.
   *
   * @returns a function that removes the listener
   */
  readonly onAppend?: (listener: () => void) => () => void;
}
