/** Ends a wait early; also one that begins later, until the next reset. */
export class WakeUp {
  #isAwake = false;
  #end: (() => void) | undefined;

  readonly wake = (): void => {
    this.#isAwake = true;
    this.#end?.();
  };

  reset(): void {
    this.#isAwake = false;
  }

  async wait(milliseconds: number): Promise<void> {
    if (this.#isAwake) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      this.#end = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#end = undefined;
  }
}
