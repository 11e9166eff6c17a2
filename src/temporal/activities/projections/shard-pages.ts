import { findEventStoreError } from '../../../core/errors/error-recognition.js';
import type { EventStoreError } from '../../../core/errors/event-store-error.js';
import { retryableCodes } from '../../../core/errors/temporal-failure.js';
import type { RecordedEvent } from '../../../core/events/event.js';
import {
  HandlerError,
  type EventFailure,
  type ParkedPlaces,
  type ProjectionSink,
  type ShardKey,
  type ShardOwnership,
  type SinkTransaction,
} from '../../../core/projections/projection-sink.js';
import type { AnyProjection } from '../../../core/projections/projection.js';
import { seen, type SeenEvent } from '../../../core/store/read/seen-event.js';
import { pauseAfter, type Backoff } from '../../../core/values/backoff.js';
import { describeError } from '../../../core/values/describe-error.js';
import { storableText } from '../../../core/values/storable-text.js';
import { wait } from '../../../core/values/wait.js';

/** Pauses before a handler is retried. */
const backoff: Backoff = { first: 100, longest: 5_000 };

/** A shard of a projection, and how it is written. */
export interface ProjectedShard {
  readonly projection: AnyProjection;
  readonly sink: ProjectionSink<unknown>;
  readonly shard: ShardKey;
  readonly signal: AbortSignal;
  /** Turns a stored event into the one that handlers get. */
  readonly decode: (event: RecordedEvent) => RecordedEvent;
  /** Whether a failing page is left to another run, which has the time to retry it. Default: no. */
  readonly isBrief?: boolean;
  /** Called with a handler's error before the handler is retried. */
  readonly onFailure?: (position: number, error: string) => void;
}

/**
 * An event, or one that its handler reads, is from a newer release than this worker. No event is to blame: a worker
 * of that release can apply it.
 */
export class NewerEventError extends HandlerError {
  readonly event: RecordedEvent;

  constructor(event: RecordedEvent, cause: Error, what?: string) {
    super(cause, what);
    this.event = event;
  }
}

/** An event can't be decoded, however often it is tried. */
class UndecodableEventError extends HandlerError {}

/** Writes the pages of a shard that it owns, and deals with the events that can't be applied. */
export class ShardPages {
  readonly #run: ProjectedShard;
  readonly #token: number;
  /** Streams with a parked event: later events of the stream wait behind it. */
  readonly #parkedStreams: Set<string>;
  readonly #skipped: ReadonlySet<string>;
  readonly #isPassed: ShardOwnership['isPassed'];
  /** Events at which an earlier owner stopped. */
  readonly #blocking: ReadonlySet<string>;
  #storeId: string | undefined;
  #lastSeen: SeenEvent | undefined;
  #seenNow: SeenEvent | undefined;
  #position: number;
  #applied: number;
  #rate: number;
  #lastCommitAt = performance.now();

  /** Takes the shard over, and retries the events that an operator wants retried. */
  static async acquire(run: ProjectedShard): Promise<ShardPages> {
    const ownership = await run.sink.acquire(run.shard);
    const pages = new ShardPages(run, ownership);
    await pages.#retryParked(ownership.parked);
    return pages;
  }

  private constructor(run: ProjectedShard, ownership: ShardOwnership) {
    const { token, checkpoint, applied, rate, parked, lastSeen } = ownership;
    this.#run = run;
    this.#token = token;
    this.#storeId = checkpoint?.storeId;
    this.#lastSeen = lastSeen;
    this.#position = checkpoint?.position ?? 0;
    this.#applied = applied;
    this.#rate = rate;
    this.#skipped = new Set(parked.skipped);
    this.#isPassed = ownership.isPassed;
    this.#blocking = new Set(parked.blocking);
    this.#parkedStreams = new Set(parked.streams);
  }

  get position(): number {
    return this.#position;
  }

  get storeId(): string | undefined {
    return this.#storeId;
  }

  /** An event that the store must still have. */
  get lastSeen(): SeenEvent | undefined {
    return this.#lastSeen;
  }

  /** Notes that the store has an event. It counts once the checkpoint has reached it. */
  saw(event: SeenEvent | undefined): void {
    if (event === undefined || event.position <= (this.#seenNow?.position ?? 0)) return;
    this.#seenNow = seen(event);
  }

  /**
   * Applies events and moves the checkpoint.
   *
   * @returns the event at which the projection stops
   * @throws HandlerError when no event is to blame, see {@link findDelay}, or the run is brief
   * @throws NewerEventError after the events before it are applied; an operator can skip the event
   */
  async write(
    events: readonly RecordedEvent[],
    end: { readonly position: number; readonly storeId: string },
  ): Promise<EventFailure | undefined> {
    this.#storeId = end.storeId;
    if (end.position <= this.#position) return undefined;
    const wanted = events.filter((event) => !this.#skipped.has(event.id) && this.#isPassed?.(event) !== true);
    try {
      await this.#commit(wanted, end.position);
      return undefined;
    } catch (error) {
      await this.#keepDone(wanted, error);
      if (this.#run.isBrief === true) throw error;
      if (!(error instanceof NewerEventError)) {
        this.#assertBlames(error);
        this.#run.onFailure?.(this.#position, describe(error));
      }
    }
    // One at a time, so that all events before the failing one are applied.
    for (const event of wanted) {
      const failure = await this.#writeOne(event);
      if (failure !== undefined) return failure;
    }
    if (end.position > this.#position) await this.#commit([], end.position);
    return undefined;
  }

  async #writeOne(event: RecordedEvent): Promise<EventFailure | undefined> {
    const { projection, sink, shard } = this.#run;
    const failure = await this.#attempt(event, () => this.#commit([event], event.position)).catch(
      async (error: unknown) => {
        if (error instanceof NewerEventError) await this.#reportNewer(event, error);
        throw error;
      },
    );
    if (failure === undefined) return undefined;
    if (projection.onPoison === 'stop') {
      await sink.reportStop(shard, this.#token, failure);
      return failure;
    }
    await this.#move(event.position, 0, (transaction) => transaction.park(failure));
    this.#parkedStreams.add(event.streamId);
    return undefined;
  }

  /** Reports the event like one that stops the projection, for operators to see and skip. */
  async #reportNewer(event: RecordedEvent, error: NewerEventError): Promise<void> {
    const { sink, shard } = this.#run;
    // Operators take the next event after the checkpoint for the one that the shard waits at.
    if (event.position - 1 > this.#position) await this.#commit([], event.position - 1);
    await sink.reportStop(shard, this.#token, { event, error: describe(error), attempts: 1 });
  }

  /** Retries the events that an operator wants retried; in each stream, until one fails. */
  async #retryParked({ retrying }: ParkedPlaces): Promise<void> {
    for (const stream of retrying) await this.#retryStream(stream);
  }

  /** One at a time: the events may be many, and large. */
  async #retryStream(stream: string): Promise<void> {
    const { sink, shard } = this.#run;
    for (;;) {
      const event = await sink.nextRetried(shard, stream);
      if (event === undefined) break;
      const failure = await this.#attempt(event, () =>
        this.#move(this.#position, 1, async (transaction) => {
          await this.#handle([event], transaction);
          await transaction.settle(event.id);
        }),
      );
      if (failure === undefined) continue;
      await this.#move(this.#position, 0, async (transaction) => {
        await transaction.park(failure);
        await transaction.parkBehind(stream, behindAnother);
      });
      return;
    }
    this.#parkedStreams.delete(stream);
  }

  /** Tries an event as often as the projection's definition says. @returns why it failed */
  async #attempt(event: RecordedEvent, write: () => Promise<void>): Promise<EventFailure | undefined> {
    const { projection, signal } = this.#run;
    for (let attempts = 1; ; attempts++) {
      try {
        await write();
        return undefined;
      } catch (error) {
        this.#assertBlames(error);
        const isFinal = attempts >= projection.maxAttempts || error instanceof UndecodableEventError;
        if (isFinal) return { event, error: describe(error), attempts };
        this.#run.onFailure?.(this.#position, describe(error));
      }
      await wait(pauseAfter(attempts, backoff), signal);
    }
  }

  /** Passes if a handler threw and an event may be the reason. @throws the error otherwise */
  #assertBlames(error: unknown): asserts error is HandlerError {
    if (!(error instanceof HandlerError) || error instanceof NewerEventError) throw error;
    this.#run.signal.throwIfAborted();
    if (findDelay(error) !== undefined) throw error;
  }

  /** Commits the events that a publisher reports as published before it failed, so that they aren't published again. */
  async #keepDone(events: readonly RecordedEvent[], error: unknown): Promise<void> {
    const { done = 0 } = findEventStoreError(error, 'RETRY_LATER') ?? {};
    const last = this.#split(events).ready[done - 1];
    if (this.#run.projection.publishes !== true || last === undefined) return;
    const until = events.slice(0, events.indexOf(last) + 1);
    await this.#commit(until, last.position, async () => undefined);
  }

  #commit(
    events: readonly RecordedEvent[],
    position: number,
    handle = (ready: readonly RecordedEvent[], transaction: SinkTransaction<unknown>): Promise<void> =>
      this.#handle(ready, transaction),
  ): Promise<void> {
    const { ready, behind } = this.#split(events);
    return this.#move(position, ready.length, async (transaction) => {
      if (ready.length > 0) await handle(ready, transaction);
      for (const { id } of ready) if (this.#blocking.has(id)) await transaction.settle(id);
      for (const event of behind) await transaction.park(waitingBehind(event));
    });
  }

  #split(events: readonly RecordedEvent[]): Record<'ready' | 'behind', readonly RecordedEvent[]> {
    const ready: RecordedEvent[] = [];
    const behind: RecordedEvent[] = [];
    for (const event of events) (this.#parkedStreams.has(event.streamId) ? behind : ready).push(event);
    return { ready, behind };
  }

  async #handle(events: readonly RecordedEvent[], { context }: SinkTransaction<unknown>): Promise<void> {
    // Not decoded earlier: an event that can't be decoded counts as one that can't be applied.
    const decoded = events.map((event) => this.#decode(event));
    try {
      await this.#run.projection.handle(decoded, context);
    } catch (error) {
      const newer = findEventStoreError(error, 'EVENT_TOO_NEW');
      throw newer === undefined
        ? new HandlerError(error)
        : new NewerEventError(events[0] as RecordedEvent, newer);
    }
  }

  #decode(event: RecordedEvent): RecordedEvent {
    try {
      return this.#run.decode(event);
    } catch (error) {
      const newer = findEventStoreError(error, 'EVENT_TOO_NEW');
      const what = `Decoding the event '${event.id}'`;
      throw newer === undefined
        ? new UndecodableEventError(error, what)
        : new NewerEventError(event, newer, what);
    }
  }

  /** Writes and moves the checkpoint in one transaction of the sink. */
  async #move(
    position: number,
    applied: number,
    write: (transaction: SinkTransaction<unknown>) => Promise<void>,
  ): Promise<void> {
    const { sink, shard } = this.#run;
    const now = performance.now();
    const rate =
      applied === 0 ? this.#rate : smoothed(this.#rate, (applied * 1_000) / (now - this.#lastCommitAt + 1));
    const storeId = this.#storeId;
    const lastSeen = Number(this.#seenNow?.position) <= position ? this.#seenNow : this.#lastSeen;
    const progress = {
      ...(storeId !== undefined && { checkpoint: { storeId, position } }),
      applied: this.#applied + applied,
      rate,
      ...(lastSeen !== undefined && { lastSeen }),
    };
    await sink.commit(shard, this.#token, progress, write);
    this.#position = position;
    this.#lastSeen = lastSeen;
    this.#applied += applied;
    this.#rate = rate;
    this.#lastCommitAt = performance.now();
  }
}

/**
 * The error by which a handler says that no event is to blame: RETRY_LATER, or a store's error that may pass, as in a
 * failover.
 */
function findDelay({ cause }: HandlerError): EventStoreError | undefined {
  return [...retryableCodes, 'UNSAFE_READ' as const]
    .map((code) => findEventStoreError(cause, code))
    .find((error) => error !== undefined);
}

const behindAnother = 'An earlier event of its stream was parked.';

function waitingBehind(event: RecordedEvent): EventFailure {
  return { event, error: behindAnother, attempts: 0 };
}

/** An exponential moving average, so that one slow page doesn't look like a stop. */
function smoothed(before: number, latest: number): number {
  return before === 0 ? latest : before * 0.8 + latest * 0.2;
}

/** Most characters of an error that are kept. */
const maxErrorLength = 10_000;

/** A message may contain anything, even a zero byte or half a character. */
function describe({ cause }: HandlerError): string {
  const text = cause instanceof Error ? `${cause.name}: ${cause.message}` : describeError(cause);
  return storableText(text.slice(0, maxErrorLength));
}
