import { pauseAfter, type Backoff } from '../../core/values/backoff.js';
import type { AwaitedPosition, ReachedPosition } from '../shared/projection-requests.js';

/** Milliseconds for gathering waits that begin at about the same time. */
const gathering = 2;
/** Pauses before the next workflow for a projection, by the number under way. */
const intervals: Backoff = { first: 25, longest: 1_000 };
/** Milliseconds by which an answer may miss a waiter's end. */
const tolerance = 100;

interface Waiter {
  readonly position: number;
  /** When the waiter's time is up, by `performance.now()`. */
  readonly end: number;
  readonly settle: (reached: ReachedPosition) => void;
  readonly fail: (error: unknown) => void;
}

/** A workflow that waits for some of the positions. */
interface Wait {
  readonly from: number;
  readonly to: number;
  readonly end: number;
  readonly waiters: Set<Waiter>;
}

/**
 * Lets all waits for a projection in this process share few workflows. A wait joins a workflow that already waits for
 * a range around its position; the others gather for the next workflow, for longer the more are under way.
 */
export class SharedWaits {
  readonly #run: (awaited: AwaitedPosition) => Promise<ReachedPosition>;
  readonly #desks = new Map<string, Desk>();

  /** @param run starts a workflow that waits */
  constructor(run: (awaited: AwaitedPosition) => Promise<ReachedPosition>) {
    this.#run = run;
  }

  /**
   * @param timeout milliseconds; 0 to look once
   * @param signal gives up
   * @returns how far the projection is, once it is there or the time is up
   */
  until(name: string, position: number, timeout: number, signal: AbortSignal): Promise<ReachedPosition> {
    let desk = this.#desks.get(name);
    if (desk === undefined) {
      desk = new Desk(
        (awaited) => this.#run({ name, ...awaited }),
        () => this.#desks.delete(name),
      );
      this.#desks.set(name, desk);
    }
    return desk.until(position, timeout, signal);
  }
}

class Desk {
  readonly #run: (awaited: Omit<AwaitedPosition, 'name'>) => Promise<ReachedPosition>;
  readonly #onIdle: () => void;
  readonly #underWay = new Set<Wait>();
  #gathered = new Set<Waiter>();
  /** Whether the next workflow is about to start. */
  #isGathering = false;

  constructor(run: (awaited: Omit<AwaitedPosition, 'name'>) => Promise<ReachedPosition>, onIdle: () => void) {
    this.#run = run;
    this.#onIdle = onIdle;
  }

  until(position: number, timeout: number, signal: AbortSignal): Promise<ReachedPosition> {
    return new Promise((settle, fail) => {
      const waiter: Waiter = { position, end: performance.now() + timeout, settle, fail };
      this.#add(waiter);
      signal.addEventListener('abort', () => {
        this.#gathered.delete(waiter);
        for (const { waiters } of this.#underWay) waiters.delete(waiter);
      });
    });
  }

  #add(waiter: Waiter): void {
    const { position, end } = waiter;
    const wait = [...this.#underWay].find(
      ({ from, to, end: landing }) => position >= from && position <= to && landing <= end + tolerance,
    );
    if (wait !== undefined) {
      wait.waiters.add(waiter);
      return;
    }
    this.#gathered.add(waiter);
    const underWay = this.#underWay.size;
    const interval = underWay === 0 ? gathering : pauseAfter(underWay, intervals);
    if (this.#isGathering) return;
    this.#isGathering = true;
    setTimeout(() => void this.#start(), interval);
  }

  async #start(): Promise<void> {
    this.#isGathering = false;
    const waiters = this.#gathered;
    this.#gathered = new Set();
    if (waiters.size === 0) {
      this.#rest();
      return;
    }
    const positions = [...waiters].map(({ position }) => position);
    const [from, to] = [least(positions), -least(positions.map((position) => -position))];
    const end = least([...waiters].map((waiter) => waiter.end));
    const wait: Wait = { from, to, end, waiters };
    this.#underWay.add(wait);
    try {
      const timeout = Math.max(Math.round(end - performance.now()), 0);
      this.#settle(wait, await this.#run({ from, to, timeout }));
    } catch (error) {
      this.#underWay.delete(wait);
      for (const waiter of waiters) waiter.fail(error);
    }
    this.#rest();
  }

  #settle(wait: Wait, reached: ReachedPosition): void {
    this.#underWay.delete(wait);
    const { position = -1 } = reached;
    // Waiters of the other workflows, too: the projection is there.
    for (const waiters of [
      wait.waiters,
      this.#gathered,
      ...[...this.#underWay].map((each) => each.waiters),
    ]) {
      for (const waiter of waiters) {
        if (waiter.position > position) continue;
        waiters.delete(waiter);
        waiter.settle(reached);
      }
    }
    for (const waiter of wait.waiters) {
      if (waiter.end - performance.now() > tolerance) this.#add(waiter);
      else waiter.settle(reached);
    }
  }

  #rest(): void {
    if (this.#underWay.size === 0 && this.#gathered.size === 0) this.#onIdle();
  }
}

/** Compares one by one: a call can't take this many arguments. */
function least(values: readonly number[]): number {
  return values.reduce((lowest, value) => Math.min(lowest, value));
}
