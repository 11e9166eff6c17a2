import { LRUCache } from 'lru-cache';
import type { LoadedState } from '../../../core/aggregates/load-state.js';
import { estimateMemory, type MemorySize } from './memory-size.js';

/** The size of a state at a version. */
interface SizedState {
  readonly size: MemorySize;
  readonly sizedAt: number;
}

interface CachedState extends SizedState {
  readonly loaded: LoadedState<unknown>;
}

/** Values of a state per event before its size is estimated anew: this spreads the cost over the events. */
const valuesPerEvent = 500;

/** The states of recently used aggregates, by stream, limited in number and bytes. */
export class StateCache {
  readonly #states: LRUCache<string, CachedState>;
  /** Known sizes of the states in use. */
  readonly #taken = new Map<string, SizedState>();

  constructor(max: number, maxBytes: number) {
    this.#states = new LRUCache({
      max,
      maxSize: maxBytes,
      sizeCalculation: ({ size }) => size.bytes,
    });
  }

  /** Takes a state out, so that nothing else changes it, until it is kept again or given up. */
  take(stream: string): LoadedState<unknown> | undefined {
    const cached = this.#states.get(stream);
    if (cached === undefined) return undefined;
    this.#states.delete(stream);
    const { loaded, ...sized } = cached;
    this.#taken.set(stream, sized);
    return loaded;
  }

  keep(stream: string, loaded: LoadedState<unknown>): void {
    const before = this.#taken.get(stream);
    this.#taken.delete(stream);
    const isKnown =
      before !== undefined && loaded.version - before.sizedAt < before.size.values / valuesPerEvent;
    const { size, sizedAt } = isKnown
      ? before
      : { size: estimateMemory(loaded.state), sizedAt: loaded.version };
    this.#states.set(stream, { loaded, size, sizedAt });
  }

  /** Tells that a taken state won't come back. */
  giveUp(stream: string): void {
    this.#taken.delete(stream);
  }
}
