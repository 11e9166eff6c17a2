import type { RecordedEvent } from '../events/event.js';
import type { Checkpoint } from '../store/capabilities.js';
import type { SeenEvent } from '../store/seen-event.js';
import { describeError } from '../values/describe-error.js';

/**
 * Where a projection keeps its read model, and how far it has come. An exactly-once sink writes both in one transaction,
 * and lets nobody write but the newest owner.
 *
 * A read model has up to three *builds*: the `live` one that readers see, the `next` one that is being made, and the
 * `previous` one that was live before. Each is projected in one or several *shards*, told apart by the stream.
 */
export interface ProjectionSink<Context> {
  readonly guarantee: 'exactly-once' | 'at-least-once';
  /** The builds of a projection; makes an empty live one where there is none. */
  open(spec: BuildSpec, init: BuildHook<Context>): Promise<readonly ProjectionBuild[]>;
  /** Makes an empty `next` build, in the place of one that was not finished. */
  begin(
    spec: BuildSpec,
    hooks: { init: BuildHook<Context>; reset: BuildHook<Context> },
  ): Promise<ProjectionBuild>;
  /** Takes a shard over: whoever owned it before can't write any more. */
  acquire(shard: ShardKey): Promise<ShardOwnership>;
  /** Lets no owner of any shard of the projection write any more. When it returns, nothing is being written. */
  fence(name: string): Promise<void>;
  /**
   * Writes, and moves the checkpoint, in one transaction.
   *
   * @throws OwnershipLostError when another has taken over · HandlerError as `write` threw it · anything else when
   *   the sink failed; nothing was written then, or the checkpoint tells
   */
  commit(
    shard: ShardKey,
    token: number,
    progress: ShardProgress,
    write: (transaction: SinkTransaction<Context>) => Promise<void>,
  ): Promise<void>;
  /** Runs something on the read model of a build without moving anything; what it throws is thrown. */
  inspect(name: string, build: number, run: BuildHook<Context>): Promise<void>;
  /** Makes a build live, and the live one the previous, at once. The previous one before is dropped. */
  activate(name: string, build: number, reset: BuildHook<Context>): Promise<void>;
  /** Drops a build that isn't live. */
  drop(name: string, build: number, reset: BuildHook<Context>): Promise<void>;
  /** The first parked events, in order, of any status. */
  parked(name: string, build: number, limit: number): Promise<readonly ParkedEvent[]>;
  /** The first event of a stream that the operator wants tried again. */
  nextRetried(shard: ShardKey, streamId: string): Promise<RecordedEvent | undefined>;
  /** Keeps the event that stopped a projection, for the operator to see. */
  reportStop(shard: ShardKey, token: number, event: EventFailure): Promise<void>;
  /** What the operator has decided on a parked event. @returns false when there is none that waits */
  decide(name: string, build: number, decision: ParkDecision): Promise<boolean>;
  /**
   * Lets a projection go on from somewhere else, also in another store. Absent where a read model would then no longer be
   * what the events say.
   *
   * @throws InvalidArgumentError when the checkpoint is behind the end
   */
  rebase?(spec: BuildSpec, target: RebaseTarget): Promise<void>;
}

/** From where a projection goes on: behind a position, or behind its checkpoints; and the last event of the store, behind which nothing is. */
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
  /** What tells the definition from another of the same version, where it says so. Kept with the build. */
  readonly fingerprint?: string;
}

export interface ProjectionBuild extends BuildSpec {
  readonly build: number;
  /** `former`: made by a worker whose definition has another number of shards; it is projected for as long as somebody asks. */
  readonly role: 'live' | 'next' | 'previous' | 'former';
  /** One for each shard. */
  readonly progress: readonly ShardProgress[];
}

export interface ShardProgress {
  /** Absent before the first commit. */
  readonly checkpoint?: Checkpoint;
  /** Events applied since the build was begun. */
  readonly applied: number;
  /** Events a second, lately. */
  readonly rate: number;
  /**
   * An event that the owner has seen in the store, at the checkpoint or before. It tells a store that has lost events from the one
   * that the checkpoint is of. A sink that doesn't keep it notices such a loss less often.
   */
  readonly lastSeen?: SeenEvent;
}

export interface ShardOwnership extends ShardProgress {
  /** Higher than that of any owner before. */
  readonly token: number;
  readonly parked: ParkedPlaces;
  /** Says of an event behind the checkpoint that it is done nevertheless. Absent: none is. */
  readonly isPassed?: (event: Pick<RecordedEvent, 'streamId' | 'position'>) => boolean;
}

/** What the owner of a shard has to know of the parked events: where they are, and not the events, which may be many. */
export interface ParkedPlaces {
  /** Streams with an event that is parked, or to be tried again: those that follow wait behind it. */
  readonly streams: readonly string[];
  /** Those of them that are to be tried again. */
  readonly retrying: readonly string[];
  /** Ids of the events, not passed yet, that an operator has skipped. */
  readonly skipped: readonly string[];
  /** Ids of the events at which an owner before has stopped. */
  readonly blocking: readonly string[];
}

/** What a page is written with. */
export interface SinkTransaction<Context> {
  readonly context: Context;
  /** Puts an event aside. */
  park(event: EventFailure): Promise<void>;
  /** Ends the parking of an event: it was applied. */
  settle(eventId: string): Promise<void>;
  /** Parks the events of a stream that are to be tried again: one before them has failed. */
  parkBehind(streamId: string, error: string): Promise<void>;
}

/** An event, and why it could not be applied. */
export interface EventFailure {
  readonly event: RecordedEvent;
  readonly error: string;
  readonly attempts: number;
}

/**
 * An event that was not applied. `blocking`: the projection stopped at it. `parked`: it waits, by itself or behind an
 * earlier one of its stream. `retrying`: the operator wants it tried again. `skipped`: the operator wants it passed over.
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
      /** Where the projection stopped at it, for a sink that keeps checkpoints only. */
      readonly blockedAt?: {
        /** Default: the build that is decided on. */
        readonly build?: number;
        readonly shard: number;
        readonly checkpoint: Checkpoint;
      };
    };

/** Another has taken over the shard, or the projection was paused: nothing was written. */
export class OwnershipLostError extends Error {
  constructor({ name, build, shard }: ShardKey) {
    super(`Shard ${shard} of build ${build} of the projection '${name}' has another owner by now.`);
  }
}

/** What the user has written threw: a handler, by default. Told from a failure of the sink, after which the same may go through. */
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
