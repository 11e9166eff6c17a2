import type { DomainEvent, EventMetadata, EventToAppend } from '../../events/event.js';
import type { AppendResult, ExpectedVersion } from '../event-store.js';

/** One of several commits that {@link CommitChain.appendCommits} appends together. */
export interface Commit<E extends DomainEvent = DomainEvent> {
  readonly commitId: string;
  readonly events: readonly EventToAppend<E>[];
  readonly metadata?: EventMetadata;
}

/** Appends several commits to one stream, one after the other, in one transaction. */
export interface CommitChain<NewEvents extends DomainEvent = DomainEvent> {
  /**
   * @returns a result per commit
   * @throws CommitExistsError when any of the commits is stored already; nothing is appended
   * @throws VersionConflictError when the stream is not at the expected version; nothing is appended
   */
  appendCommits<E extends NewEvents>(
    streamId: string,
    commits: readonly Commit<E>[],
    options?: { readonly expectedVersion?: ExpectedVersion; readonly signal?: AbortSignal },
  ): Promise<readonly AppendResult[]>;
}
