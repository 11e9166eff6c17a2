import { findEventStoreError } from '../../../core/errors/error-recognition.js';
import type { ReaderHints } from '../../../core/store/capabilities.js';
import { innermostOf } from '../../../core/store/decorated-store.js';
import type { EventStore } from '../../../core/store/event-store.js';
import { lookFor, seen, type SeenEvent } from '../../../core/store/read/seen-event.js';
import { storedReadsOf } from '../../../core/store/read/stored-reads.js';
import { WakeUp } from '../../../core/store/read/wake-up.js';
import { pauseAfter, type Backoff } from '../../../core/values/backoff.js';

/** Between two looks at a store that has nothing new. */
const quietly: Backoff = { first: 20, longest: 1_000 };
/** Between two looks at a store that can't be read. */
const afterFailure: Backoff = { first: quietly.longest, longest: 5_000 };

const watches = new WeakMap<object, EndWatch>();

/** Calls when the end of a store has moved: one look serves all shards of a process that wait there. */
export class EndWatch {
  readonly #store: EventStore & ReaderHints;
  /** The callbacks of those that wait, with the position that each has come to. */
  readonly #waiting = new Map<() => void, number>();
  readonly #wakeUp = new WakeUp();
  #last: SeenEvent | undefined;
  #storeId: string | undefined;
  readonly #losses: SeenEvent[] = [];
  #users = 0;
  #isLooking = false;
  #stopHints: (() => void) | undefined;

  /** The watch of a store, however it is decorated. */
  static of(store: EventStore & ReaderHints): EndWatch {
    const key = innermostOf(store);
    const watch = watches.get(key) ?? new EndWatch(store);
    watches.set(key, watch);
    return watch;
  }

  private constructor(store: EventStore & ReaderHints) {
    this.#store = store;
  }

  /** The last event that was seen there. */
  get last(): SeenEvent | undefined {
    return this.#last;
  }

  get end(): number {
    return this.#last?.position ?? 0;
  }

  /** What turned out to be lost, in order: the store is still the same by its id. */
  get losses(): readonly SeenEvent[] {
    return this.#losses;
  }

  /** Looks from time to time until the returned function is called, while somebody waits. */
  use(): () => void {
    // A user's own store may throw here.
    if (this.#users === 0) this.#stopHints = this.#store.onAppend?.call(this.#store, this.#wakeUp.wake);
    this.#users++;
    if (!this.#isLooking) void this.#keepLooking();
    return () => {
      if (--this.#users > 0) return;
      this.#stopHints?.();
      this.#wakeUp.wake();
    };
  }

  /**
   * Calls once when the store has events behind a position, has lost some, or is another store by now.
   *
   * @returns ends the wait
   */
  wait(position: number, wake: () => void): () => void {
    if (position < this.end) {
      wake();
      return () => undefined;
    }
    if (this.#waiting.size === 0) this.#wakeUp.wake();
    this.#waiting.set(wake, position);
    return () => void this.#waiting.delete(wake);
  }

  async #keepLooking(): Promise<void> {
    this.#isLooking = true;
    let pause = quietly.first;
    let quiet = 1;
    let failures = 0;
    while (this.#users > 0) {
      await this.#wakeUp.wait(pause);
      // What comes after this wakes: this look may miss it.
      this.#wakeUp.reset();
      if (this.#waiting.size === 0) {
        pause = quietly.longest;
        continue;
      }
      try {
        quiet = (await this.#look()) ? 1 : quiet + 1;
        failures = 0;
        pause = pauseAfter(quiet, quietly);
      } catch {
        // Waiting shards need not know: their own next look, which is rare, will show it.
        pause = pauseAfter(++failures, afterFailure);
      }
      // Whoever appends much must not make as many looks.
      await new Promise((resolve) => setTimeout(resolve, quietly.first));
    }
    this.#isLooking = false;
  }

  /** @returns whether there was something new */
  async #look(): Promise<boolean> {
    const before = this.#last;
    const isLost = await this.#hasLost();
    if (isLost === undefined) return false;
    // A backward read waits for no append under way; the shards read in order, and wait for it.
    const { events, storeId } = await storedReadsOf(this.#store).readAll({ direction: 'backward', limit: 1 });
    const [last] = events;
    this.#last = last && seen(last);
    if (isLost && before !== undefined && storeId === this.#storeId) this.#losses.push(before);
    this.#storeId = storeId;
    for (const [wake, position] of this.#waiting) {
      if (position >= this.end && !isLost) continue;
      this.#waiting.delete(wake);
      wake();
    }
    return this.end > (before?.position ?? 0);
  }

  /** Whether the last event that was seen isn't there any more. Undefined when it is the last one still. */
  async #hasLost(): Promise<boolean | undefined> {
    if (this.#last === undefined) return false;
    try {
      const { slice, isThere } = await lookFor(storedReadsOf(this.#store), this.#last);
      if (!isThere || slice.storeId !== this.#storeId) return true;
      return slice.isEnd ? undefined : false;
    } catch (error) {
      if (findEventStoreError(error, 'POSITION_AHEAD_OF_STORE') !== undefined) return true;
      throw error;
    }
  }
}
