import { isEventStoreError } from '../../../core/errors/error-recognition.js';
import type { CommitChain } from '../../../core/store/append/commit-chain.js';
import { commitExists } from '../../../core/store/append/commit.js';
import { decorateStore } from '../../../core/store/decorated-store.js';
import type { AppendResult, EventStore } from '../../../core/store/event-store.js';

/**
 * The store with `appendCommits`. If the store has none, the commits are appended one after the other; those stored
 * before one is refused are found again by their commit ids.
 */
export function withCommitChain(store: EventStore & Partial<CommitChain>): EventStore & CommitChain {
  if (store.appendCommits !== undefined) return store as EventStore & CommitChain;
  const decorated: EventStore & Partial<CommitChain> = decorateStore(store, {
    async appendCommits(streamId, commits, { expectedVersion = 'any' } = {}) {
      const results: AppendResult[] = [];
      for (const { commitId, events, metadata } of commits) {
        const options = {
          commitId,
          expectedVersion: results.at(-1)?.version ?? expectedVersion,
          ...(metadata && { metadata }),
        };
        const result = await store.appendToStream(streamId, events, options).catch((error: unknown) => {
          throw isEventStoreError(error, 'COMMIT_MISMATCH') ? commitExists(streamId, [commitId]) : error;
        });
        if (result.deduplicated) throw commitExists(streamId, [commitId]);
        results.push(result);
      }
      return results;
    },
  });
  return decorated as EventStore & CommitChain;
}
