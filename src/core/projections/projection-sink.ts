import type { RecordedEvent } from '../events/event.js';
import type { Checkpoint } from '../store/checkpoint.js';
import type { SeenEvent } from '../store/read/seen-event.js';
import { describeError } from '../values/describe-error.js';

/**
 * Keeps the read model of a projection, and how far it has come. An exactly-once sink writes both in one transaction,
 * and lets only the newest owner write.
 *
 * A read model has up to three *builds*: the `live` one that readers see, the `next` one that is being made, and the
 * `previous` one that was live before. Each is projected in one or several *shards*, told apart by the stream.
 */
export interface ProjectionSink<Context> {
  readonly guarantee: 'exactly-once' | 'at-least-once';
  /** Returns the builds of a projection; makes an empty live one if there is none. */
  open(spec: BuildSpec, init: BuildHook<Context>): Promise<readonly ProjectionBuild[]>;
  /** Makes an empty `next` build, in place of an unfinished one. */
  begin(
    spec: BuildSpec,
    hooks: { init: BuildHook<Context>; reset: BuildHook<Context> },
  ): Promise<ProjectionBuild>;
  /** Takes a shard over: its previous owner can't write any more. */
  acquire(shard: ShardKey): Promise<ShardOwnership>;
  /** Stops all owners of the projection's shards from writing. When it returns, nothing is being written. */
  fence(name: string): Promise<void>;
  /**
   * Writes, and moves the checkpoint, in one transaction.
   *
   * @throws OwnershipLostError when another owner has taken over · HandlerError as `write` threw it ·
   *   any other error when the sink failed: nothing was written then, or the checkpoint shows that it was
   */
  commit(
    shard: ShardKey,
    token: number,
    progress: ShardProgress,
    write: (transaction: SinkTransaction<Context>) => Promise<void>,
  ): Promise<void>;
  /** Runs a function on the read model of a build without moving the checkpoint; throws what it throws. */
  inspect(name: string, build: number, run: BuildHook<Context>): Promise<void>;
  /** Makes a build live, and the live one the previous, at once. The earlier previous build is dropped. */
  activate(name: string, build: number, reset: BuildHook<Context>): Promise<void>;
  /** Drops a build that isn't live. */
  drop(name: string, build: number, reset: BuildHook<Context>): Promise<void>;
  /** The first parked events, in order, of any status. */
  parked(name: string, build: number, limit: number): Promise<readonly ParkedEvent[]>;
  /** The first event of a stream that an operator wants retried; undefined if there is none. */
  nextRetried(shard: ShardKey, streamId: string): Promise<RecordedEvent | undefined>;
  /** Stores the event that stopped a projection, for operators to see. */
  reportStop(shard: ShardKey, token: number, event: EventFailure): Promise<void>;
  /** Stores an operator's decision on a parked event. @returns false if no such event is waiting */
  decide(name: string, build: number, decision: ParkDecision): Promise<boolean>;
  /**
   * Moves a projection to another position, even of another store. Absent if the read model would then no longer follow
   * from the events.
   *
   * @throws {@link InvalidArgumentError} when the position is beyond the end
   */
  rebase?(spec: BuildSpec, target: RebaseTarget): Promise<void>;
}

/**
 * Where a projection goes on: after a position, or after its checkpoints. `end` is the position of the store's last
 * event.
 */
export interface RebaseTarget {
  readonly storeId: string;
  readonly after: number | 'checkpoint';
  readonly end: number;
}

export type BuildHook<Context> = ((context: Context) => unknown) | undefined;

/** A shard of a build of a projection. */
export interface ShardKey {
  readonly name: string;
  readonly build: number;
  /** 0 to `shards - 1`. */
  readonly shard: number;
}

export interface BuildSpec {
  readonly name: string;
  readonly version: number;
  readonly shards: number;
  /** The definition's `fingerprint`, if it has one. Kept with the build. */
  readonly fingerprint?: string;
}

export interface ProjectionBuild extends BuildSpec {
  readonly build: number;
  /**
   * `former`: made by a worker whose definition has another number of shards; it is projected for as long as such a
   * worker asks.
   */
  readonly role: 'live' | 'next' | 'previous' | 'former';
  /** One for each shard. */
  readonly progress: readonly ShardProgress[];
}

export interface ShardProgress {
  /** Absent before the first commit. */
  readonly checkpoint?: Checkpoint;
  /** Events applied since the build was begun. */
  readonly applied: number;
  /** Events a second, averaged over recent pages. */
  readonly rate: number;
  /**
   * An event that the owner has seen in the store, at the checkpoint or before. If it is gone, the store has lost
   * events since. A sink that doesn't keep it notices such a loss less often.
   */
  readonly lastSeen?: SeenEvent;
}

export interface ShardOwnership extends ShardProgress {
  /** Higher than the token of any earlier owner. */
  readonly token: number;
  readonly parked: ParkedPlaces;
  /** Whether an event after the checkpoint is already done. Absent: none is. */
  readonly isPassed?: (event: Pick<RecordedEvent, 'streamId' | 'position'>) => boolean;
}

/** What the owner of a shard has to know about parked events: their places, not the events, which may be many. */
export interface ParkedPlaces {
  /** Streams with an event that is parked or to be retried: later events of the stream wait behind it. */
  readonly streams: readonly string[];
  /** Those of `streams` that are to be retried. */
  readonly retrying: readonly string[];
  /** Ids of events that an operator has skipped and the shard has not reached yet. */
  readonly skipped: readonly string[];
  /** Ids of the events at which an earlier owner stopped. */
  readonly blocking: readonly string[];
}

/** The transaction that a page is written in. */
export interface SinkTransaction<Context> {
  readonly context: Context;
  /** Parks an event. */
  park(event: EventFailure): Promise<void>;
  /** Ends the parking of an event: it was applied. */
  settle(eventId: string): Promise<void>;
  /** Parks the events of a stream that are to be retried, because an earlier one has failed. */
  parkBehind(streamId: string, error: string): Promise<void>;
}

/** An event, and why it could not be applied. */
export interface EventFailure {
  readonly event: RecordedEvent;
  readonly error: string;
  readonly attempts: number;
}

/**
 * An event that was not applied. `blocking`: the projection stopped at it. `parked`: it waits, or an earlier event of
 * its stream does. `retrying`: an operator has asked for a retry. `skipped`: an operator has skipped it, and it will
 * never be applied.
 */
export interface ParkedEvent extends Omit<EventFailure, 'event'> {
  /** Without its data, which may be large. */
  readonly event: Pick<RecordedEvent, 'id' | 'streamId' | 'version' | 'position' | 'type'>;
  readonly status: 'blocking' | 'parked' | 'retrying' | 'skipped';
  /** ISO 8601. */
  readonly parkedAt: string;
  /** Who skipped it, and why. */
  readonly operator?: string;
  readonly reason?: string;
}

export type ParkDecision =
  | { readonly action: 'retry'; readonly eventId: string }
  | {
      readonly action: 'skip';
      readonly eventId: string;
      readonly operator: string;
      readonly reason: string;
      /** Where the projection stopped at the event, for a sink that keeps checkpoints only. */
      readonly blockedAt?: {
        /** Default: the build that is decided on. */
        readonly build?: number;
        readonly shard: number;
        readonly checkpoint: Checkpoint;
      };
    };

/** Another owner has taken the shard over, or the projection was paused. Nothing was written. */
export class OwnershipLostError extends Error {
  constructor({ name, build, shard }: ShardKey) {
    super(`Shard ${shard} of build ${build} of the projection '${name}' has another owner by now.`);
  }
}

/**
 * The user's code threw, a handler by default. A failure of the sink is another error, after which a retry may go
 * through.
 */
export class HandlerError extends Error {
  constructor(cause: unknown, what = 'A handler') {
    super(
      `${what} threw ${cause instanceof Error ? `${cause.name}: ${cause.message}` : describeError(cause)}`,
      {
        cause,
      },
    );
  }
}
