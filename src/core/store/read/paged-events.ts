import type { DomainEvent, RecordedEvent } from '../../events/event.js';
import { ReaderEnd } from './reader-end.js';

interface Page<E extends DomainEvent> {
  readonly events: readonly RecordedEvent<E>[];
}

/** Where the pages of an iterator come from. */
export interface PageSource<Slice> {
  /** Whether to read a page while the one before is used. */
  readonly readsAhead: boolean;
  /** The caller's. */
  readonly signal: AbortSignal | undefined;
  /** Whether the iterator ends without an error, and in the middle of a page, when the caller's signal aborts. */
  readonly endsQuietly: boolean;
  /**
   * @param signal aborts when nobody waits for the page any more
   * @param last the page before; of the first there is none
   * @returns undefined when there is no other page
   */
  read(signal: AbortSignal, last?: Slice): Promise<Slice | undefined>;
  isLast(slice: Slice): boolean;
  /** Called when no page will be read any more. */
  close?(): void;
}

/**
 * The events of page after page.
 *
 * It does what an async generator would, which takes three times as long: an event that is there is given without a turn of
 * the event queue in between. And a reader that gives it up needn't wait for the page that is under way.
 */
export class PagedEvents<E extends DomainEvent, Slice extends Page<E>> implements AsyncGenerator<
  RecordedEvent<E>,
  void,
  undefined
> {
  readonly #source: PageSource<Slice>;
  readonly #end: ReaderEnd;
  #events: readonly RecordedEvent<E>[] = [];
  #index = 0;
  /** Gives the next page; absent after the last. */
  #nextPage: (() => Promise<Slice | undefined>) | undefined;
  /** Set while a page is awaited: a call that comes meanwhile asks again after it. */
  #turning: Promise<void> | undefined;
  #letGo: () => void = nothing;
  #isClosed = false;

  constructor(source: PageSource<Slice>) {
    this.#source = source;
    this.#end = new ReaderEnd(source.signal);
    this.#nextPage = () => this.#read();
  }

  next(): Promise<IteratorResult<RecordedEvent<E>, void>> {
    if (this.#source.endsQuietly && this.#end.isAborted) this.#close();
    if (this.#turning === undefined) {
      const event = this.#events[this.#index];
      if (event !== undefined) {
        this.#index++;
        return Promise.resolve({ value: event, done: false });
      }
      if (this.#nextPage === undefined) {
        this.#close();
        return Promise.resolve({ value: undefined, done: true });
      }
      this.#turning = this.#turn(this.#nextPage);
    }
    return this.#turning.then(() => this.next());
  }

  return(): Promise<IteratorResult<RecordedEvent<E>, void>> {
    this.#giveUp();
    return Promise.resolve({ value: undefined, done: true });
  }

  async throw(error: unknown): Promise<IteratorResult<RecordedEvent<E>, void>> {
    this.#giveUp();
    throw error;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  /** The page in hand goes first, so that it isn't in memory beside the one that is awaited. */
  #turn(nextPage: () => Promise<Slice | undefined>): Promise<void> {
    [this.#events, this.#index] = [[], 0];
    this.#nextPage = undefined;
    return new Promise((resolve, reject) => {
      this.#letGo = resolve;
      nextPage()
        .then((slice) => {
          this.#take(slice);
        })
        .catch((error: unknown) => {
          // Who asked gets the error.
          this.#letGo = nothing;
          this.#close();
          if (!this.#source.endsQuietly || !this.#end.isAborted) throw error;
        })
        .then(resolve, reject);
    });
  }

  #take(slice: Slice | undefined): void {
    // Given up meanwhile.
    if (this.#isClosed) return;
    this.#turning = undefined;
    if (slice === undefined) return;
    [this.#events, this.#index] = [slice.events, 0];
    this.#nextPage = this.#source.isLast(slice) ? undefined : this.#following(slice);
  }

  #following(slice: Slice): () => Promise<Slice | undefined> {
    const read = (): Promise<Slice | undefined> => this.#read(slice);
    if (!this.#source.readsAhead) return read;
    const page = read();
    // Thrown when its turn comes; a consumer who stops before that has no use for it.
    page.catch(() => undefined);
    return () => page;
  }

  // Async, so that a store which throws and doesn't reject can't take the page in hand away.
  async #read(last?: Slice): Promise<Slice | undefined> {
    return this.#end.run(() => this.#source.read(this.#end.signal, last));
  }

  #giveUp(): void {
    if (this.#isClosed) return;
    this.#close();
    this.#end.giveUp();
  }

  #close(): void {
    [this.#events, this.#index] = [[], 0];
    this.#nextPage = undefined;
    this.#turning = undefined;
    this.#letGo();
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#source.close?.();
  }
}

function nothing(): void {
  // Nobody waits.
}
