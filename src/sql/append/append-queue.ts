import { StoreOverloadedError } from '../../core/errors/store-errors.js';
import { bytesPerCharacter } from '../../core/values/json.js';
import { closedStore } from '../closable-port.js';
import type { AnsweredAppend, Appends } from '../sql-backend.js';
import type { AppendMember } from './append-member.js';
import type { BatchRunner, MemberOutcome } from './batch-runner.js';
import { LockedStreams } from './locked-streams.js';
import { TagsUnderWay } from './tags-under-way.js';
import { WaitingAppends, type WaitingAppend } from './waiting-appends.js';

export interface AppendQueueOptions {
  /** Most batches under way at the same time. */
  readonly maxConcurrentBatches: number;
  /** Most appends that wait; one more is STORE_OVERLOADED. */
  readonly maxAppends: number;
  /** Most bytes that waiting appends take, two for each character; a larger append waits alone. */
  readonly maxBytes: number;
  /** Called after each batch, before its appends are answered. It doesn't throw. */
  readonly onOutcomes?: (outcomes: readonly MemberOutcome[]) => void | Promise<void>;
}

export const defaultMaxQueuedAppends = 10_000;
export const defaultMaxQueuedBytes = 128_000_000;

/** Most milliseconds to wait for a lock: for a batch of streams, and for one stream known to be locked. */
const lockTimeouts = { batch: 250, alone: 50 };
/** Milliseconds between two attempts at locked streams. */
const lockPause = 50;

/**
 * Group commit: appends that arrive while all batches are under way go together in the next batch, and share its round
 * trip and its flush to disk.
 *
 * Streams take turns, so that a flood of appends to one doesn't hold up the others. A stream is in one batch at a time: in
 * a second one it would wait for its own lock and hold up that whole batch. Its appends keep the order of their calls.
 *
 * A stream that somebody else has locked leaves the batches: the queue tries its appends alone, one stream at a time,
 * until one succeeds.
 */
export class AppendQueue implements Appends {
  readonly #batches: Pick<BatchRunner, 'run'>;
  readonly #options: AppendQueueOptions;
  readonly #waiting = new WaitingAppends();
  readonly #locked = new LockedStreams();
  readonly #streamsUnderWay = new Set<string>();
  readonly #tagsUnderWay = new TagsUnderWay();
  #isTryingLocked = false;
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
      const { count } = this.#waiting;
      const bytes = (this.#waiting.characters + characters) * bytesPerCharacter;
      const { maxAppends, maxBytes } = this.#options;
      if (count >= maxAppends || (count > 0 && bytes > maxBytes)) {
        throw new StoreOverloadedError(
          `${count} appends wait already; nothing was stored. Slow down, or try again later.`,
        );
      }
      const enqueuedAt = performance.now();
      const isRepeated = false;
      this.#waiting.add({ member, signal, events, characters, enqueuedAt, isRepeated, resolve, reject });
      this.#schedule();
    });
  }

  /** Takes no more appends, and resolves when all accepted ones are answered. */
  async close(): Promise<void> {
    this.#isClosed = true;
    while (this.#waiting.count > 0 || this.#batchesUnderWay > 0) {
      await new Promise<void>((resolve) => {
        const earlier = this.#drained;
        this.#drained = () => {
          earlier?.();
          resolve();
        };
      });
    }
  }

  /** Waits for the code that runs now: callers answered together append together again. */
  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      this.#tryLocked();
      while (this.#batchesUnderWay < this.#options.maxConcurrentBatches) {
        const batch = this.#waiting.takeBatch((streamId) => this.#isFree(streamId), this.#tagsUnderWay);
        if (batch.length === 0) break;
        void this.#send(batch, lockTimeouts.batch);
      }
      this.#reportDrained();
    });
  }

  async #send(batch: readonly WaitingAppend[], lockTimeout: number): Promise<void> {
    this.#batchesUnderWay++;
    for (const { member } of batch) {
      for (const { streamId } of member.parts) this.#streamsUnderWay.add(streamId);
      this.#tagsUnderWay.add(member.tags);
    }
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
    const locked: WaitingAppend[] = [];
    for (const [index, waiting] of batch.entries()) {
      const { parts, tags } = waiting.member;
      const outcome = outcomes[index];
      this.#tagsUnderWay.remove(tags);
      for (const { streamId } of parts) {
        this.#streamsUnderWay.delete(streamId);
        this.#locked.note(streamId, outcome?.status === 'locked' || outcome?.isLocked === true);
      }
      if (outcome?.status === 'locked') {
        waiting.isRepeated = outcome.isRepeated;
        locked.push(waiting);
      } else if (outcome?.status === 'fulfilled') {
        waiting.resolve(outcome.value);
      } else {
        waiting.reject(outcome?.reason);
      }
    }
    for (const waiting of locked.reverse()) this.#waiting.putBack(waiting);
    this.#schedule();
  }

  /** Sends the first append to a locked stream, unless one is under way. */
  #tryLocked(): void {
    if (this.#isTryingLocked || this.#batchesUnderWay >= this.#options.maxConcurrentBatches) return;
    const next = this.#locked.takeTurn((streamId) =>
      this.#streamsUnderWay.has(streamId) ? undefined : this.#waiting.takeFirst(streamId),
    );
    if (next === undefined) return;
    this.#isTryingLocked = true;
    void this.#send([next], lockTimeouts.alone).then(() => {
      const isLocked = next.member.parts.some(({ streamId }) => this.#locked.has(streamId));
      const pause = isLocked ? lockPause : 0;
      setTimeout(() => {
        this.#isTryingLocked = false;
        this.#schedule();
      }, pause);
    });
  }

  #isFree(streamId: string): boolean {
    return !this.#streamsUnderWay.has(streamId) && !this.#locked.has(streamId);
  }

  #reportDrained(): void {
    if (this.#waiting.count > 0 || this.#batchesUnderWay > 0) return;
    this.#drained?.();
    this.#drained = undefined;
  }
}

function sizeOf({ parts }: AppendMember): { events: number; characters: number } {
  let [events, characters] = [0, 0];
  for (const { commits } of parts) {
    for (const commit of commits) {
      for (const { data, metadata } of commit.events) {
        events++;
        characters += data.length + metadata.length;
      }
    }
  }
  return { events, characters };
}
