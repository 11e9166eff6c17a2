import type { DomainEvent, EventMetadata, EventToAppend } from '../../events/event.js';
import type { AppendCondition, AppendResult, ExpectedVersion } from '../event-store.js';

/** A store that appends to several streams as one commit. */
export interface MultiStreamAppends<
  NewEvents extends DomainEvent = DomainEvent,
  Type extends string = string,
> {
  /**
   * Appends to several streams as one commit, all or nothing. The first is the home stream: where a repeat of the commit
   * is looked for. Positions follow the order given.
   *
   * With a `commitId`, a repeated append stores nothing and returns the result of the first; it must name the same
   * streams in the same order. If there are several, the metadata of each event lists them as `commitStreams`.
   *
   * @throws AppendConditionFailedError when an event that the condition's filter takes was appended meanwhile
   * @throws VersionConflictError when a stream is not at its expected version; it names the first such stream
   * @throws CommitMismatchError when the `commitId` was used on any of the streams with other events or streams
   * @throws PositionAheadOfStoreError when the condition's position is of another store, or beyond this one's end
   * @throws InvalidEventError · EventTooLargeError, for all events together
   * @throws InvalidArgumentError for no streams, one stream twice, a stream without events, or a malformed option
   */
  appendToStreams<E extends NewEvents>(
    appends: readonly StreamAppend<E>[],
    options?: MultiAppendOptions<Type>,
  ): Promise<MultiAppendResult>;
}

/** The part of a commit that goes to one stream. */
export interface StreamAppend<E extends DomainEvent = DomainEvent> {
  readonly streamId: string;
  /** Default `'any'`. */
  readonly expectedVersion?: ExpectedVersion;
  readonly events: readonly EventToAppend<E>[];
}

export interface MultiAppendOptions<Type extends string = string> {
  /** Makes the append exactly-once within its streams. Default: random. */
  readonly commitId?: string;
  readonly condition?: AppendCondition<Type>;
  /** Added to the metadata of each event; the event's own keys win. */
  readonly metadata?: EventMetadata;
  /** As `signal` of `appendToStream`. */
  readonly signal?: AbortSignal;
}

export interface MultiAppendResult {
  readonly commitId: string;
  /** True if this call stored nothing, because the commit was stored already. */
  readonly deduplicated: boolean;
  /** In the order given; the first is that of the home stream. */
  readonly parts: readonly AppendResult[];
}
