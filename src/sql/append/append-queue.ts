import { StoreOverloadedError } from '../../core/errors/errors.js';
import { bytesPerCharacter } from '../../core/values/json.js';
import { closedStore } from '../closable-port.js';
import type { AnsweredAppend, Appends } from '../sql-backend.js';
import type { AppendMember } from './append-member.js';
import type { BatchRunner, MemberOutcome } from './batch-runner.js';

export interface AppendQueueOptions {
  /** Batches that are under way at the same time. */
  readonly maxConcurrentBatches: number;
  /** Most appends that wait; one more is STORE_OVERLOADED. */
  readonly maxAppends: number;
  /** Most bytes that they take, two for each character; one that is larger by itself waits alone. */
  readonly maxBytes: number;
  /** Called after each batch, before its appends are answered. It doesn't throw. */
  readonly onOutcomes?: (outcomes: readonly MemberOutcome[]) => void | Promise<void>;
}

export const defaultMaxQueuedAppends = 10_000;
export const defaultMaxQueuedBytes = 128_000_000;

/** What a batch holds at most; a larger append goes alone. */
const batchLimits = { appends: 32, events: 100, characters: 1_000_000 };

/** Most milliseconds that a lock is waited for, by a batch of streams and by one that is known to be locked. */
const lockTimeouts = { batch: 250, alone: 50 };
/** Milliseconds between two attempts at streams that are locked. */
const lockPause = 50;
/** Streams that are remembered to have been locked. */
const maxLockedStreams = 10_000;

interface Waiting {
  readonly member: AppendMember;
  readonly signal: AbortSignal | undefined;
  readonly events: number;
  readonly characters: number;
  readonly enqueuedAt: number;
  isRepeated: boolean;
  readonly resolve: (outcome: AnsweredAppend) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Group commit: the appends that arrive while all batches are under way go together in the next batch, and share its round trip
 * and its flush to disk.
 *
 * Streams take turns, so that a flood of appends to one doesn't hold up the others. A stream is in one batch at a time: in
 * a second one it would wait for its lock and so hold up that whole batch; its appends keep the order of their calls.
 *
 * A stream that somebody else has locked is taken out of the batches: its appends are tried by themselves, one stream at a
 * time, until one goes through.
 */
export class AppendQueue implements Appends {
  readonly #batches: Pick<BatchRunner, 'run'>;
  readonly #options: AppendQueueOptions;
  /** By stream, in the order of their turns. */
  readonly #waiting = new Map<string, Waiting[]>();
  readonly #streamsUnderWay = new Set<string>();
  /** In the order of their turns. */
  readonly #lockedStreams = new Set<string>();
  #isTryingLocked = false;
  #appends = 0;
  #characters = 0;
  #batchesUnderWay = 0;
  #isScheduled = false;
  #isClosed = false;
  #drained: (() => void) | undefined;

  constructor(batches: Pick<BatchRunner, 'run'>, options: AppendQueueOptions) {
    this.#batches = batches;
    this.#options = options;
  }

  /**
   * @throws StoreOverloadedError · StoreClosedError, at once and with nothing stored · the signal's reason when it aborts
   *   before the append is sent
   */
  append(member: AppendMember, signal?: AbortSignal): Promise<AnsweredAppend> {
    return new Promise((resolve, reject) => {
      if (this.#isClosed) throw closedStore();
      const { events, characters } = sizeOf(member);
      const bytes = (this.#characters + characters) * bytesPerCharacter;
      const { maxAppends, maxBytes } = this.#options;
      if (this.#appends >= maxAppends || (this.#appends > 0 && bytes > maxBytes)) {
        throw new StoreOverloadedError(
          `${this.#appends} appends wait already; nothing was stored. Slow down, or try again later.`,
        );
      }
      this.#appends++;
      this.#characters += characters;
      const enqueuedAt = performance.now();
      const isRepeated = false;
      this.#queueOf(member.streamId).push({
        member,
        signal,
        events,
        characters,
        enqueuedAt,
        isRepeated,
        resolve,
        reject,
      });
      this.#schedule();
    });
  }

  /** Takes no more, and is fulfilled when all that was taken has been answered. */
  async close(): Promise<void> {
    this.#isClosed = true;
    while (this.#appends > 0 || this.#batchesUnderWay > 0) {
      await new Promise<void>((resolve) => {
        const earlier = this.#drained;
        this.#drained = () => {
          earlier?.();
          resolve();
        };
      });
    }
  }

  /** After what runs now: callers that were answered together append again together. */
  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      this.#tryLocked();
      while (this.#batchesUnderWay < this.#options.maxConcurrentBatches) {
        const batch = this.#takeBatch();
        if (batch.length === 0) break;
        void this.#send(batch, lockTimeouts.batch);
      }
      this.#reportDrained();
    });
  }

  async #send(batch: readonly Waiting[], lockTimeout: number): Promise<void> {
    this.#batchesUnderWay++;
    for (const { member } of batch) this.#streamsUnderWay.add(member.streamId);
    const outcomes = await this.#batches.run(
      batch.map(({ member }) => member),
      {
        enqueuedAt: Math.max(...batch.map(({ enqueuedAt }) => enqueuedAt)),
        lockTimeout,
        isRepeated: batch.some(({ isRepeated }) => isRepeated),
      },
    );
    await this.#options.onOutcomes?.(outcomes);
    this.#batchesUnderWay--;
    const locked: Waiting[] = [];
    for (const [index, waiting] of batch.entries()) {
      const { streamId } = waiting.member;
      const outcome = outcomes[index];
      this.#streamsUnderWay.delete(streamId);
      this.#noteLock(streamId, outcome?.status === 'locked' || outcome?.isLocked === true);
      if (outcome?.status === 'locked') {
        waiting.isRepeated = outcome.isRepeated;
        locked.push(waiting);
      } else if (outcome?.status === 'fulfilled') {
        waiting.resolve(outcome.value);
      } else {
        waiting.reject(outcome?.reason);
      }
    }
    for (const waiting of locked.reverse()) this.#putBack(waiting);
    this.#schedule();
  }

  /** The first append to a stream that is locked, if none is tried just now. */
  #tryLocked(): void {
    if (this.#isTryingLocked || this.#batchesUnderWay >= this.#options.maxConcurrentBatches) return;
    for (const streamId of this.#lockedStreams) {
      const queue = this.#waiting.get(streamId);
      if (queue === undefined || this.#streamsUnderWay.has(streamId)) continue;
      const next = this.#nextOf(queue);
      if (next !== undefined) this.#remove(queue);
      if (queue.length === 0) this.#waiting.delete(streamId);
      if (next === undefined) continue;
      // To the end of the turns.
      this.#lockedStreams.delete(streamId);
      this.#lockedStreams.add(streamId);
      this.#isTryingLocked = true;
      void this.#send([next], lockTimeouts.alone).then(() => {
        const pause = this.#lockedStreams.has(streamId) ? lockPause : 0;
        setTimeout(() => {
          this.#isTryingLocked = false;
          this.#schedule();
        }, pause);
      });
      return;
    }
  }

  #noteLock(streamId: string, isLocked: boolean): void {
    if (!isLocked) {
      this.#lockedStreams.delete(streamId);
      return;
    }
    if (this.#lockedStreams.size >= maxLockedStreams) this.#lockedStreams.clear();
    this.#lockedStreams.add(streamId);
  }

  /** Goes round the streams that are free, an append of each at a time, until the batch is full. */
  #takeBatch(): Waiting[] {
    const batch: Waiting[] = [];
    const commits = new Set<string>();
    let [events, characters] = [0, 0];
    const fits = (next: Waiting): boolean =>
      batch.length === 0 ||
      (batch.length < batchLimits.appends &&
        events + next.events <= batchLimits.events &&
        characters + next.characters <= batchLimits.characters);

    let isFull = false;
    let turns: Iterable<[string, Waiting[]]> = this.#waiting;
    do {
      const served: [string, Waiting[]][] = [];
      for (const [streamId, queue] of turns) {
        if (this.#streamsUnderWay.has(streamId) || this.#lockedStreams.has(streamId)) continue;
        const next = this.#nextOf(queue);
        // The copy of a commit waits for it: in one statement it could not be seen.
        if (next?.member.commits.some(({ eventIds: [id = ''] }) => commits.has(id))) continue;
        isFull = next !== undefined && !fits(next);
        if (isFull) break;
        served.push([streamId, queue]);
        if (next === undefined) continue;
        this.#remove(queue);
        batch.push(next);
        events += next.events;
        characters += next.characters;
        for (const {
          eventIds: [id = ''],
        } of next.member.commits) {
          commits.add(id);
        }
      }
      // To the end of the turns, if they have more.
      for (const [streamId, queue] of served) {
        this.#waiting.delete(streamId);
        if (queue.length > 0) this.#waiting.set(streamId, queue);
      }
      turns = served.filter(([, queue]) => queue.length > 0);
    } while (!isFull && (turns as unknown[]).length > 0);
    return batch;
  }

  #queueOf(streamId: string): Waiting[] {
    let queue = this.#waiting.get(streamId);
    if (queue === undefined) this.#waiting.set(streamId, (queue = []));
    return queue;
  }

  /** In front of those that came after it. */
  #putBack(waiting: Waiting): void {
    this.#appends++;
    this.#characters += waiting.characters;
    this.#queueOf(waiting.member.streamId).unshift(waiting);
  }

  /** The first append of a queue that isn't aborted; one that may be stored by now is for its answer to tell. */
  #nextOf(queue: Waiting[]): Waiting | undefined {
    for (;;) {
      const [next] = queue;
      if (next?.signal?.aborted !== true || next.isRepeated) return next;
      this.#remove(queue);
      next.reject(next.signal.reason);
    }
  }

  #remove(queue: Waiting[]): void {
    this.#appends--;
    this.#characters -= queue.shift()?.characters ?? 0;
  }

  #reportDrained(): void {
    if (this.#appends > 0 || this.#batchesUnderWay > 0) return;
    this.#drained?.();
    this.#drained = undefined;
  }
}

function sizeOf({ commits }: AppendMember): { events: number; characters: number } {
  let [events, characters] = [0, 0];
  for (const commit of commits) {
    for (const { data, metadata } of commit.events) {
      events++;
      characters += data.length + metadata.length;
    }
  }
  return { events, characters };
}
