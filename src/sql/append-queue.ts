import { StoreClosedError, StoreOverloadedError } from '../core/errors/errors.js';
import type { AppendOutcome } from './append-batch.js';
import type { AppendMember } from './append-member.js';

export interface AppendQueueOptions {
  /** Batches that are under way at the same time. */
  readonly lanes: number;
  /** Most appends that wait; one more is STORE_OVERLOADED. */
  readonly maxAppends: number;
  /** Most bytes that they take, two for each character; one that is larger by itself waits alone. */
  readonly maxBytes: number;
}

export const defaultMaxQueuedBytes = 128_000_000;

/** In memory, where a text has any character that isn't Latin. */
const bytesPerCharacter = 2;

/** What a batch holds at most; a larger append goes alone. */
const batchLimits = { appends: 32, events: 100, characters: 1_000_000 };

/** How a batch ended for each of its members. */
export type RunBatch = (
  members: readonly AppendMember[],
  deadline: { readonly enqueuedAt: number },
) => Promise<readonly PromiseSettledResult<QueuedOutcome>[]>;

/** An outcome, and whether the batch was sent again after a lost reply: what is stored may then be its own. */
export type QueuedOutcome = AppendOutcome & { readonly wasRepeated: boolean };

interface Waiting {
  readonly member: AppendMember;
  readonly signal: AbortSignal | undefined;
  readonly events: number;
  readonly characters: number;
  readonly enqueuedAt: number;
  readonly resolve: (outcome: QueuedOutcome) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Group commit: the appends that arrive while the lanes are busy go together in the next batch, and share its round trip
 * and its flush to disk.
 *
 * Streams take turns, so that a flood of appends to one doesn't hold up the others. A stream is in one batch at a time: in
 * a second one it would wait for its lock and so hold up that whole batch; its appends keep the order of their calls.
 */
export class AppendQueue {
  readonly #run: RunBatch;
  readonly #options: AppendQueueOptions;
  /** By stream, in the order of their turns. */
  readonly #waiting = new Map<string, Waiting[]>();
  readonly #streamsUnderWay = new Set<string>();
  #appends = 0;
  #characters = 0;
  #batchesUnderWay = 0;
  #isScheduled = false;
  #isClosed = false;
  #drained: (() => void) | undefined;

  constructor(run: RunBatch, options: AppendQueueOptions) {
    this.#run = run;
    this.#options = options;
  }

  /**
   * @throws StoreOverloadedError · StoreClosedError, at once and with nothing stored · the signal's reason when it aborts
   *   before the append is sent
   */
  append(member: AppendMember, signal?: AbortSignal): Promise<QueuedOutcome> {
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
      const waiting = { member, signal, events, characters, enqueuedAt: performance.now(), resolve, reject };
      const stream = this.#waiting.get(member.streamId);
      if (stream === undefined) this.#waiting.set(member.streamId, [waiting]);
      else stream.push(waiting);
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
      while (this.#batchesUnderWay < this.#options.lanes) {
        const batch = this.#takeBatch();
        if (batch.length === 0) break;
        void this.#send(batch);
      }
      this.#reportDrained();
    });
  }

  async #send(batch: readonly Waiting[]): Promise<void> {
    this.#batchesUnderWay++;
    for (const { member } of batch) this.#streamsUnderWay.add(member.streamId);
    const enqueuedAt = Math.max(...batch.map((waiting) => waiting.enqueuedAt));
    const outcomes = await this.#run(
      batch.map(({ member }) => member),
      { enqueuedAt },
    );
    this.#batchesUnderWay--;
    for (const [index, { member, resolve, reject }] of batch.entries()) {
      this.#streamsUnderWay.delete(member.streamId);
      const outcome = outcomes[index];
      if (outcome?.status === 'fulfilled') resolve(outcome.value);
      else reject(outcome?.reason);
    }
    this.#schedule();
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
        if (this.#streamsUnderWay.has(streamId)) continue;
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

  /** The first append of a queue that isn't aborted. */
  #nextOf(queue: Waiting[]): Waiting | undefined {
    for (;;) {
      const [next] = queue;
      if (next?.signal?.aborted !== true) return next;
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

export function closedStore(): StoreClosedError {
  return new StoreClosedError(
    'The store is closed; nothing was stored or read. Open it again, or use another.',
  );
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
