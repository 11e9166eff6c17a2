import { describeError } from '../../../core/values/describe-error.js';
import type { AwaitedPosition, ReachedPosition } from '../../shared/projection.js';
import { UnknownProjectionError } from './projection-registry.js';

interface Waiter {
  readonly awaited: AwaitedPosition;
  readonly began: number;
  /** When the lowest of its positions was reached. */
  reachedAt?: number;
  readonly settle: (reached: ReachedPosition) => void;
  readonly fail: (error: unknown) => void;
}

/** Milliseconds between two looks, which grow from the first to the second while nothing moves. */
const shortestPause = 10;
const longestPause = 500;
/** Milliseconds between two looks, however fast pages come. */
const leastPause = 5;
/** Milliseconds that the highest position is waited for when the lowest is reached; or this part of the time until then. */
const linger = 50;
const lingerPart = 0.5;

/** Waits for positions of projections: all waiters of a process look together. */
export class PositionWatches {
  readonly #look: (name: string) => Promise<number>;
  readonly #watches = new Map<string, PositionWatch>();

  /** @param look how far the live build of a projection is */
  constructor(look: (name: string) => Promise<number>) {
    this.#look = look;
  }

  /** @throws what a look throws for good: UnknownProjectionError */
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

  constructor(look: () => Promise<number>) {
    this.#look = look;
  }

  wake(): void {
    this.#isAwake = true;
    this.#wake?.();
  }

  /** @param onIdle called when nobody waits any more */
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
      // What comes after this may be missed by the look.
      this.#isAwake = false;
      const asking = new Set(this.#waiters);
      await this.#lookOnce();
      this.#settle(asking);
      if (this.#waiters.size === 0) break;
      pause = before === this.#position ? Math.min(pause * 1.5, longestPause) : shortestPause;
      before = this.#position;
      const [rest] = [...this.#waiters].map(restOf).sort((a, b) => a - b) as [number];
      await this.#rest(leastPause);
      if (!this.#isAwake) await this.#rest(Math.min(pause, Math.max(rest, 0)), true);
    }
    this.#isRunning = false;
    onIdle();
  }

  /** Doesn't keep a process from ending whose worker has ended. */
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

  async #lookOnce(): Promise<void> {
    try {
      this.#position = await this.#look();
      this.#error = undefined;
    } catch (error) {
      // It may be elsewhere by now, after a rollback.
      this.#position = undefined;
      this.#error = error;
    }
  }

  /** @param asking those who were there when the look began: it may have missed what the others wait for */
  #settle(asking: ReadonlySet<Waiter>): void {
    const position = this.#position;
    for (const waiter of asking) {
      if (this.#error instanceof UnknownProjectionError) {
        this.#waiters.delete(waiter);
        waiter.fail(this.#error);
        continue;
      }
      if (position !== undefined && position >= waiter.awaited.from) waiter.reachedAt ??= performance.now();
      const isReached = position !== undefined && position >= waiter.awaited.to;
      if (!isReached && restOf(waiter) > 0) continue;
      this.#waiters.delete(waiter);
      waiter.settle({
        ...(position !== undefined && { position }),
        ...(this.#error !== undefined && { waitsFor: describeError(this.#error) }),
      });
    }
  }
}

/** Milliseconds that somebody still waits. */
function restOf({ awaited, began, reachedAt }: Waiter): number {
  const end = began + awaited.timeout;
  const until =
    reachedAt === undefined
      ? end
      : Math.min(end, reachedAt + Math.max(linger, (reachedAt - began) * lingerPart));
  return until - performance.now();
}
