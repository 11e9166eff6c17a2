/** The listeners of a store's `onAppend`. */
export class AppendListeners {
  readonly #listeners = new Set<() => void>();

  get count(): number {
    return this.#listeners.size;
  }

  /** @returns what to call when it is enough */
  add(listener: () => void): () => void {
    // The same function may listen twice.
    const own = (): void => {
      listener();
    };
    this.#listeners.add(own);
    return () => void this.#listeners.delete(own);
  }

  /** What a listener throws is its own: neither the append nor other listeners may fail of it. */
  wake(): void {
    for (const listener of this.#listeners) {
      try {
        listener();
      } catch {
        // Nobody waits for it.
      }
    }
  }

  clear(): void {
    this.#listeners.clear();
  }
}
