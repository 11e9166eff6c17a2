import type { AnsweredAppend } from '../sql-backend.js';
import type { AppendMember } from './append-member.js';

/** The limits of a batch; a larger append goes alone. */
const batchLimits = { appends: 32, events: 100, characters: 1_000_000 };

export interface WaitingAppend {
  readonly member: AppendMember;
  readonly signal: AbortSignal | undefined;
  readonly events: number;
  readonly characters: number;
  /** By `performance.now()`. */
  readonly enqueuedAt: number;
  /** Whether an attempt whose reply was lost may have stored it. */
  isRepeated: boolean;
  readonly resolve: (outcome: AnsweredAppend) => void;
  readonly reject: (error: unknown) => void;
}

/** The appends that wait, by stream. Streams take turns; the appends of each keep the order of their calls. */
export class WaitingAppends {
  /** In the order of their turns. */
  readonly #streams = new Map<string, WaitingAppend[]>();
  #count = 0;
  #characters = 0;

  get count(): number {
    return this.#count;
  }

  get characters(): number {
    return this.#characters;
  }

  add(append: WaitingAppend): void {
    this.#noteAdded(append);
    this.#queueOf(append.member.streamId).push(append);
  }

  /** Puts an append in front of those that came after it. */
  putBack(append: WaitingAppend): void {
    this.#noteAdded(append);
    this.#queueOf(append.member.streamId).unshift(append);
  }

  /** Takes the first append of a stream, if there is one. */
  takeFirst(streamId: string): WaitingAppend | undefined {
    const queue = this.#streams.get(streamId);
    if (queue === undefined) return undefined;
    const next = this.#nextOf(queue);
    if (next !== undefined) this.#remove(queue);
    if (queue.length === 0) this.#streams.delete(streamId);
    return next;
  }

  /** Goes round the free streams, one append of each at a time, until the batch is full. */
  takeBatch(isFree: (streamId: string) => boolean): readonly WaitingAppend[] {
    const batch: WaitingAppend[] = [];
    const commits = new Set<string>();
    let [events, characters] = [0, 0];
    const fits = (next: WaitingAppend): boolean =>
      batch.length === 0 ||
      (batch.length < batchLimits.appends &&
        events + next.events <= batchLimits.events &&
        characters + next.characters <= batchLimits.characters);

    let isFull = false;
    let turns: Iterable<[string, WaitingAppend[]]> = this.#streams;
    let served: [string, WaitingAppend[]][];
    do {
      served = [];
      for (const [streamId, queue] of turns) {
        if (!isFree(streamId)) continue;
        const next = this.#nextOf(queue);
        const ids = next === undefined ? [] : idsOf(next);
        // The copy of a commit waits for the next batch: within one statement, neither would see the other.
        if (ids.some((id) => commits.has(id))) continue;
        isFull = next !== undefined && !fits(next);
        if (isFull) break;
        served.push([streamId, queue]);
        if (next === undefined) continue;
        this.#remove(queue);
        batch.push(next);
        events += next.events;
        characters += next.characters;
        for (const id of ids) commits.add(id);
      }
      // Streams with more appends go to the end of the turns.
      for (const [streamId, queue] of served) {
        this.#streams.delete(streamId);
        if (queue.length > 0) this.#streams.set(streamId, queue);
      }
      served = served.filter(([, queue]) => queue.length > 0);
      turns = served;
    } while (!isFull && served.length > 0);
    return batch;
  }

  #queueOf(streamId: string): WaitingAppend[] {
    let queue = this.#streams.get(streamId);
    if (queue === undefined) this.#streams.set(streamId, (queue = []));
    return queue;
  }

  /** The first append of a queue that isn't aborted. One that may be stored already still waits for its answer. */
  #nextOf(queue: WaitingAppend[]): WaitingAppend | undefined {
    for (;;) {
      const [next] = queue;
      if (next?.signal?.aborted !== true || next.isRepeated) return next;
      this.#remove(queue);
      next.reject(next.signal.reason);
    }
  }

  #noteAdded({ characters }: WaitingAppend): void {
    this.#count++;
    this.#characters += characters;
  }

  #remove(queue: WaitingAppend[]): void {
    this.#count--;
    this.#characters -= queue.shift()?.characters ?? 0;
  }
}

/** Identifies each commit by the id of its first event. */
function idsOf({ member }: WaitingAppend): readonly string[] {
  return member.commits.map(({ eventIds: [id = ''] }) => id);
}
