import { describeError } from '../../../core/values/describe-error.js';
import { longestTimer } from '../../../core/values/longest-timer.js';
import type { AwaitedPosition, ReachedPosition } from '../../shared/projection-requests.js';
import { UnknownHereError } from './projection-registry.js';

interface Waiter {
  readonly awaited: AwaitedPosition;
  readonly began: number;
  /** When the lowest awaited position was reached. */
  reachedAt?: number;
  readonly settle: (reached: ReachedPosition) => void;
  readonly fail: (error: unknown) => void;
}

interface Look {
  readonly done: Promise<void>;
  readonly asking: ReadonlySet<Waiter>;
}

/** Milliseconds between two looks, which grow from `shortestPause` to `longestPause` while nothing moves. */
const shortestPause = 10;
const longestPause = 500;
/** Milliseconds between two looks, however fast pages come. */
const leastPause = 5;
/** Milliseconds that a look may still take when a waiter's time is up. */
const longestLook = 1_000;
/** Milliseconds that the highest position is awaited after the lowest was reached; or this part of the time that took. */
const linger = 50;
const lingerPart = 0.5;

/** Waits for positions of projections. All waiters of a process share the looks. */
export class PositionWatches {
  readonly #look: (name: string) => Promise<number>;
  readonly #watches = new Map<string, PositionWatch>();

  /** @param look returns how far the live build of a projection is */
  constructor(look: (name: string) => Promise<number>) {
    this.#look = look;
  }

  /** @throws UnknownHereError, as the only final error of a look */
  wait(awaited: AwaitedPosition): Promise<ReachedPosition> {
    const { name } = awaited;
    const watch = this.#watches.get(name) ?? new PositionWatch(() => this.#look(name));
    this.#watches.set(name, watch);
    return watch.wait(awaited, () => this.#watches.delete(name));
  }

  /** Called when a shard that runs in this process has moved. */
  moved(name: string): void {
    this.#watches.get(name)?.wake();
  }
}

class PositionWatch {
  readonly #look: () => Promise<number>;
  readonly #waiters = new Set<Waiter>();
  #wake: (() => void) | undefined;
  #isAwake = false;
  #position: number | undefined;
  #error: unknown;
  #isRunning = false;
  /** The look under way, with the waiters from when it began: it may miss what later ones wait for. */
  #looking: Look | undefined;

  constructor(look: () => Promise<number>) {
    this.#look = look;
  }

  wake(): void {
    this.#isAwake = true;
    this.#wake?.();
  }

  /** @param onIdle called when no waiter is left */
  wait(awaited: AwaitedPosition, onIdle: () => void): Promise<ReachedPosition> {
    return new Promise((settle, fail) => {
      this.#waiters.add({ awaited, began: performance.now(), settle, fail });
      this.wake();
      if (!this.#isRunning) void this.#run(onIdle);
    });
  }

  async #run(onIdle: () => void): Promise<void> {
    this.#isRunning = true;
    let pause = shortestPause;
    let before: number | undefined;
    for (;;) {
      // The look may miss later moves.
      this.#isAwake = false;
      const { done, asking } = (this.#looking ??= this.#startLook());
      await within(done, Math.max(this.#soonest() + longestLook, 0));
      this.#settle(asking);
      if (this.#waiters.size === 0) break;
      pause = before === this.#position ? Math.min(pause * 1.5, longestPause) : shortestPause;
      before = this.#position;
      await this.#rest(leastPause);
      if (!this.#isAwake) await this.#rest(Math.min(pause, Math.max(this.#soonest(), 0)), true);
    }
    this.#isRunning = false;
    onIdle();
  }

  /** Pauses, without keeping a process alive whose worker has ended. */
  async #rest(milliseconds: number, untilAwake = false): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      timer.unref();
      if (!untilAwake) return;
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#wake = undefined;
  }

  /** Milliseconds until the first waiter has waited long enough. */
  #soonest(): number {
    return [...this.#waiters].reduce((least, waiter) => Math.min(least, restOf(waiter)), Infinity);
  }

  #startLook(): Look {
    // A look that doesn't end tells nothing.
    this.#position = undefined;
    this.#error = new Error('Its store gives no answer.');
    const done = this.#look()
      .then(
        (position) => {
          this.#position = position;
          this.#error = undefined;
        },
        (error: unknown) => {
          this.#error = error;
        },
      )
      .finally(() => {
        this.#looking = undefined;
      });
    return { done, asking: new Set(this.#waiters) };
  }

  /** @param asking the waiters for whom the look counts */
  #settle(asking: ReadonlySet<Waiter>): void {
    for (const waiter of this.#waiters) {
      const position = asking.has(waiter) ? this.#position : undefined;
      if (this.#error instanceof UnknownHereError) {
        this.#waiters.delete(waiter);
        waiter.fail(this.#error);
        continue;
      }
      if (position !== undefined && position >= waiter.awaited.from) waiter.reachedAt ??= performance.now();
      const isReached = position !== undefined && position >= waiter.awaited.to;
      // The waiter has had its look, or has waited for one in vain.
      const isOver = restOf(waiter) <= (asking.has(waiter) && this.#looking === undefined ? 0 : -longestLook);
      if (!isReached && !isOver) continue;
      this.#waiters.delete(waiter);
      waiter.settle({
        ...(position !== undefined && { position }),
        ...(this.#error !== undefined && { waitsFor: describeError(this.#error) }),
      });
    }
  }
}

/** Waits for `milliseconds` at most. */
async function within(done: Promise<void>, milliseconds: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, Math.min(milliseconds, longestTimer));
    timer.unref();
  });
  await Promise.race([done, over]);
  clearTimeout(timer);
}

/** Milliseconds that a waiter still waits. */
function restOf({ awaited, began, reachedAt }: Waiter): number {
  const end = began + awaited.timeout;
  const until =
    reachedAt === undefined
      ? end
      : Math.min(end, reachedAt + Math.max(linger, (reachedAt - began) * lingerPart));
  return until - performance.now();
}
