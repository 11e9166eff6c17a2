import type { AllSlice, EventStore, ReadAllOptions } from '../../../core/store/event-store.js';
import { storedReadsOf, type StoredReads } from '../../../core/store/read/stored-reads.js';
import { unlessAborted } from '../../../core/values/unless-aborted.js';

/** A page, and whether other shards share its objects. */
export interface SharedPage {
  readonly slice: AllSlice<never>;
  readonly isShared: boolean;
}

interface SharedRead {
  readonly page: Promise<AllSlice<never>>;
  /** Ends the read. */
  readonly abort: AbortController;
  /** How many callers asked for the page, and how many of them still want it. */
  asked: number;
  wanted: number;
}

const reads = new WeakMap<EventStore, SharedReads>();

/**
 * Reads of stored events: callers that ask for the same page in the same turn of the event loop share one read, since
 * an append wakes all shards of a process at once. A read that has begun is never joined: it may miss the event that
 * a caller was woken for.
 */
export class SharedReads {
  readonly #stored: StoredReads;
  readonly #open = new Map<string, SharedRead>();

  static of(store: EventStore): SharedReads {
    const known = reads.get(store) ?? new SharedReads(store);
    reads.set(store, known);
    return known;
  }

  private constructor(store: EventStore) {
    this.#stored = storedReadsOf(store);
  }

  async read({ signal, ...options }: ReadAllOptions & { readonly signal: AbortSignal }): Promise<SharedPage> {
    signal.throwIfAborted();
    const key = JSON.stringify(options);
    const read = this.#open.get(key) ?? this.#begin(key, options);
    read.asked++;
    read.wanted++;
    try {
      const slice = await unlessAborted(signal, () => read.page);
      return { slice, isShared: read.asked > 1 };
    } finally {
      read.wanted--;
      if (read.wanted === 0 && signal.aborted) this.#end(key, read);
    }
  }

  #end(key: string, read: SharedRead): void {
    if (this.#open.get(key) === read) this.#open.delete(key);
    read.abort.abort();
  }

  #begin(key: string, options: ReadAllOptions): SharedRead {
    const abort = new AbortController();
    const page = new Promise((resolve) => setImmediate(resolve)).then(() => {
      this.#open.delete(key);
      return this.#stored.readAll<never>({ ...options, signal: abort.signal });
    });
    const read = { page, abort, asked: 0, wanted: 0 };
    this.#open.set(key, read);
    return read;
  }
}
