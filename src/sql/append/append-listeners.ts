/** Those who are called back after something was appended. */
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

  wake(): void {
    for (const listener of this.#listeners) listener();
  }

  clear(): void {
    this.#listeners.clear();
  }
}
