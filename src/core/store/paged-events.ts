import type { DomainEvent, RecordedEvent } from '../events/event.js';
import type { ReaderHints } from './capabilities.js';

interface Page<E extends DomainEvent> {
  readonly events: readonly RecordedEvent<E>[];
}

/**
 * The events of page after page. Where the store likes it, a page is read while the one before is used.
 *
 * It does what an async generator would, which takes three times as long: an event that is there is given without a turn of
 * the event queue in between.
 */
export class PagedEvents<E extends DomainEvent, Slice extends Page<E>> implements AsyncGenerator<
  RecordedEvent<E>,
  void,
  undefined
> {
  readonly #readsAhead: boolean;
  readonly #read: (last?: Slice) => Promise<Slice>;
  readonly #isLast: (slice: Slice) => boolean;
  #events: readonly RecordedEvent<E>[] = [];
  #index = 0;
  /** Gives the next page; absent after the last. */
  #nextPage: (() => Promise<Slice>) | undefined;
  /** While a page is awaited: who asks meanwhile asks again after it. */
  #turning: Promise<void> | undefined;

  constructor(
    { readsAhead = false }: ReaderHints,
    read: (last?: Slice) => Promise<Slice>,
    isLast: (slice: Slice) => boolean,
  ) {
    this.#readsAhead = readsAhead;
    this.#read = read;
    this.#isLast = isLast;
    this.#nextPage = () => read();
  }

  next(): Promise<IteratorResult<RecordedEvent<E>, void>> {
    if (this.#turning === undefined) {
      const event = this.#events[this.#index];
      if (event !== undefined) {
        this.#index++;
        return Promise.resolve({ value: event, done: false });
      }
      if (this.#nextPage === undefined) return Promise.resolve({ value: undefined, done: true });
      this.#turning = this.#turn(this.#nextPage);
    }
    return this.#turning.then(() => this.next());
  }

  return(): Promise<IteratorResult<RecordedEvent<E>, void>> {
    this.#end();
    return Promise.resolve({ value: undefined, done: true });
  }

  async throw(error: unknown): Promise<IteratorResult<RecordedEvent<E>, void>> {
    this.#end();
    throw error;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  async #turn(nextPage: () => Promise<Slice>): Promise<void> {
    try {
      const slice = await nextPage();
      // Ended meanwhile.
      if (this.#nextPage === undefined) return;
      [this.#events, this.#index] = [slice.events, 0];
      this.#nextPage = this.#isLast(slice) ? undefined : this.#following(slice);
    } catch (error) {
      this.#end();
      throw error;
    } finally {
      this.#turning = undefined;
    }
  }

  #following(slice: Slice): () => Promise<Slice> {
    // Async, so that a store which throws and doesn't reject can't take the page in hand away.
    const read = async (): Promise<Slice> => this.#read(slice);
    if (!this.#readsAhead) return read;
    const page = read();
    // Thrown when its turn comes; a consumer who stops before that has no use for it.
    page.catch(() => undefined);
    return () => page;
  }

  #end(): void {
    [this.#events, this.#index] = [[], 0];
    this.#nextPage = undefined;
  }
}
