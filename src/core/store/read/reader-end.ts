/**
 * The end of a reader: what it waits for is let go, and what it asked a store for is aborted. The caller's own signal aborts
 * that too, and is listened to only while something is under way.
 */
export class ReaderEnd {
  readonly #own = new AbortController();
  readonly #callers: AbortSignal | undefined;
  readonly #onAbort = (): void => {
    this.#own.abort(this.#callers?.reason);
  };

  constructor(callers: AbortSignal | undefined) {
    this.#callers = callers;
  }

  /** Aborts when the reader is given up, or the caller's signal does. */
  get signal(): AbortSignal {
    return this.#own.signal;
  }

  /** Whether the caller's signal has aborted. */
  get isAborted(): boolean {
    return this.#callers?.aborted ?? false;
  }

  giveUp(): void {
    this.#own.abort(new Error('Nobody reads any more.'));
  }

  /** Runs something that gets {@link signal}. */
  async run<T>(call: () => Promise<T>): Promise<T> {
    this.#callers?.addEventListener('abort', this.#onAbort);
    try {
      if (this.isAborted) this.#onAbort();
      return await call();
    } finally {
      this.#callers?.removeEventListener('abort', this.#onAbort);
    }
  }
}
