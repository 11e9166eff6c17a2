import type { PreparedEvent } from '../../core/store/append/prepare-events.js';
import type { ExpectedVersion } from '../../core/store/event-store.js';

/** One commit, or a chain of several, that is appended to a stream as a whole or not at all. */
export interface AppendMember {
  readonly streamId: string;
  readonly expectedVersion: ExpectedVersion;
  readonly commits: readonly PreparedCommit[];
}

export interface PreparedCommit {
  readonly commitId: string;
  /** False if the id was made for this append: then only an attempt without a reply can have stored the commit. */
  readonly mayBeStored: boolean;
  readonly eventIds: readonly string[];
  readonly events: readonly PreparedEvent[];
}
