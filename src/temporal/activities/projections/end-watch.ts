import { findEventStoreError } from '../../../core/errors/error-recognition.js';
import type { ReaderHints } from '../../../core/store/capabilities.js';
import { innermostOf } from '../../../core/store/decorated-store.js';
import type { EventStore } from '../../../core/store/event-store.js';
import { lookFor, seen, type SeenEvent } from '../../../core/store/read/seen-event.js';
import { storedReadsOf } from '../../../core/store/read/stored-reads.js';
import { WakeUp } from '../../../core/store/read/wake-up.js';
import { pauseAfter, type Backoff } from '../../../core/values/backoff.js';
import { wait } from '../../../core/values/wait.js';

/** Pauses between two looks at a store that has nothing new. */
const quietly: Backoff = { first: 20, longest: 1_000 };
/** Pauses between two looks at a store that can't be read. */
const afterFailure: Backoff = { first: quietly.longest, longest: 5_000 };

const watches = new WeakMap<object, EndWatch>();

/** Calls back when the end of a store has moved: one look serves all waiting shards of a process. */
export class EndWatch {
  readonly #store: EventStore & ReaderHints;
  /** The callbacks of the waiting shards, with the position that each has reached. */
  readonly #waiting = new Map<() => void, number>();
  readonly #wakeUp = new WakeUp();
  #last: SeenEvent | undefined;
  #storeId: string | undefined;
  readonly #losses: SeenEvent[] = [];
  #users = 0;
  #isLooking = false;
  #stopHints: (() => void) | undefined;

  /** The watch of a store, shared by all its decorators. */
  static of(store: EventStore & ReaderHints): EndWatch {
    const key = innermostOf(store);
    const watch = watches.get(key) ?? new EndWatch(store);
    watches.set(key, watch);
    return watch;
  }

  private constructor(store: EventStore & ReaderHints) {
    this.#store = store;
  }

  /** The last event seen in the store. */
  get last(): SeenEvent | undefined {
    return this.#last;
  }

  get end(): number {
    return this.#last?.position ?? 0;
  }

  /** Events found to be lost, in order, although the store has still the same id. */
  get losses(): readonly SeenEvent[] {
    return this.#losses;
  }

  /** Looks from time to time while a shard waits, until the returned function is called. */
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
   * Calls `wake` once when the store has events after a position, has lost some, or is another store by now.
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
      // Later hints wake again: this look may miss their events.
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
        // Waiting shards need not know: their own next look, a rare one, will show the failure.
        pause = pauseAfter(++failures, afterFailure);
      }
      // Many appends must not cause as many looks.
      await wait(quietly.first);
    }
    this.#isLooking = false;
  }

  /** @returns whether there was something new */
  async #look(): Promise<boolean> {
    const before = this.#last;
    const isLost = await this.#hasLost();
    if (isLost === undefined) return false;
    // A backward read doesn't wait for appends under way; the shards read forward, which does.
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

  /** Whether the last seen event is gone. Undefined if it is still the last one. */
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
