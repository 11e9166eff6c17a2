import type { AnsweredAppend } from '../sql-backend.js';
import { maxTagLocks, type AppendMember } from './append-member.js';
import type { TagsUnderWay } from './tags-under-way.js';

/**
 * The limits of a batch; a larger append goes alone. More appends go together where they would only wait for the batch, whose
 * tags they have, too.
 */
const batchLimits = { appends: 32, sameTags: 96, events: 100, characters: 1_000_000, tags: maxTagLocks };

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

/**
 * The appends that wait, by stream. Streams take turns; the appends of each keep the order of their calls. An append to
 * several streams waits in the queue of each, and is taken when it is the first of all.
 */
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
    for (const { streamId } of append.member.parts) this.#queueOf(streamId).push(append);
  }

  /** Puts an append in front of those that came after it. */
  putBack(append: WaitingAppend): void {
    this.#noteAdded(append);
    for (const { streamId } of append.member.parts) this.#queueOf(streamId).unshift(append);
  }

  /** Takes the first append of a stream, if there is one and it is the first of its other streams, too. */
  takeFirst(streamId: string): WaitingAppend | undefined {
    const queue = this.#streams.get(streamId);
    if (queue === undefined) return undefined;
    const next = this.#nextOf(queue);
    if (queue.length === 0) this.#streams.delete(streamId);
    if (next === undefined || !this.#isFirst(next)) return undefined;
    this.#remove(next);
    for (const part of next.member.parts) {
      if (this.#streams.get(part.streamId)?.length === 0) this.#streams.delete(part.streamId);
    }
    return next;
  }

  /**
   * Goes round the free streams, one append of each at a time, until the batch is full.
   *
   * @param tags an append whose tags are locked waits, and so do those behind it that would overtake it
   */
  takeBatch(isFree: (streamId: string) => boolean, tags: TagsUnderWay): readonly WaitingAppend[] {
    const batch: WaitingAppend[] = [];
    const commits = new Set<string>();
    const locks = tags.plan();
    let [events, characters] = [0, 0];
    const fits = (next: WaitingAppend): boolean =>
      batch.length === 0 ||
      (batch.length < (locks.wouldWait(next.member.tags) ? batchLimits.sameTags : batchLimits.appends) &&
        events + next.events <= batchLimits.events &&
        characters + next.characters <= batchLimits.characters &&
        locks.countWith(next.member.tags) <= batchLimits.tags);

    let isFull = false;
    let turns: Iterable<[string, WaitingAppend[]]> = this.#streams;
    let served: [string, WaitingAppend[]][];
    do {
      served = [];
      for (const [streamId, queue] of turns) {
        if (!isFree(streamId)) continue;
        const next = this.#nextOf(queue);
        if (next !== undefined && !(this.#isFirst(next) && this.#areFree(next, isFree))) continue;
        const ids = next === undefined ? [] : idsOf(next);
        // The copy of a commit waits for the next batch: within one statement, neither would see the other.
        if (ids.some((id) => commits.has(id))) continue;
        isFull = next !== undefined && !fits(next);
        if (isFull) break;
        if (next !== undefined && !locks.take(next.member.tags)) continue;
        served.push([streamId, queue]);
        if (next === undefined) continue;
        this.#remove(next);
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

  #isFirst(append: WaitingAppend): boolean {
    return append.member.parts.every(({ streamId }) => this.#streams.get(streamId)?.[0] === append);
  }

  #areFree({ member }: WaitingAppend, isFree: (streamId: string) => boolean): boolean {
    return member.parts.every(({ streamId }) => isFree(streamId));
  }

  /** The first append of a queue that isn't aborted. One that may be stored already still waits for its answer. */
  #nextOf(queue: WaitingAppend[]): WaitingAppend | undefined {
    for (;;) {
      const [next] = queue;
      if (next?.signal?.aborted !== true || next.isRepeated) return next;
      this.#remove(next);
      next.reject(next.signal.reason);
    }
  }

  #noteAdded({ characters }: WaitingAppend): void {
    this.#count++;
    this.#characters += characters;
  }

  /** It is usually the first of its queues; one that was aborted may not be. */
  #remove(append: WaitingAppend): void {
    this.#count--;
    this.#characters -= append.characters;
    for (const { streamId } of append.member.parts) {
      const queue = this.#streams.get(streamId) ?? [];
      queue.splice(queue.indexOf(append), 1);
    }
  }
}

/** Identifies each commit by the id of its first event. */
function idsOf({ member }: WaitingAppend): readonly string[] {
  return member.parts.flatMap(({ commits }) => commits.map(({ eventIds: [id = ''] }) => id));
}
