import type { PreparedEvent } from '../../core/store/append/prepare-events.js';
import type { ExpectedVersion } from '../../core/store/event-store.js';

/** What is appended to a stream as a whole or not at all: one commit, or several that chain. */
export interface AppendMember {
  readonly streamId: string;
  readonly expectedVersion: ExpectedVersion;
  readonly commits: readonly PreparedCommit[];
}

export interface PreparedCommit {
  readonly commitId: string;
  /** False where the id was made for this very append: then it can't be stored, unless by an attempt without a reply. */
  readonly mayBeStored: boolean;
  readonly eventIds: readonly string[];
  readonly events: readonly PreparedEvent[];
}
