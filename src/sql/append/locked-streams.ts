/** Most locked streams that are remembered. */
const maxLockedStreams = 10_000;

/** The streams that somebody else has locked, in the order of their turns. */
export class LockedStreams {
  readonly #streams = new Set<string>();

  has(streamId: string): boolean {
    return this.#streams.has(streamId);
  }

  /** Notes whether a stream was found locked. */
  note(streamId: string, isLocked: boolean): void {
    if (!isLocked) {
      this.#streams.delete(streamId);
      return;
    }
    if (this.#streams.size >= maxLockedStreams) this.#streams.clear();
    this.#streams.add(streamId);
  }

  /** Offers each stream to `take` until it returns a value; that stream goes to the end of the turns. */
  takeTurn<T>(take: (streamId: string) => T | undefined): T | undefined {
    for (const streamId of this.#streams) {
      const taken = take(streamId);
      if (taken === undefined) continue;
      this.#streams.delete(streamId);
      this.#streams.add(streamId);
      return taken;
    }
    return undefined;
  }
}
