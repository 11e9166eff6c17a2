import { setTimeout as sleep } from 'node:timers/promises';

/** Does something again and again beside the run, from its first release on. */
export class Loop {
  readonly #ended: Promise<void>;
  #isEnding = false;
  #isHeld = true;
  #isResting = false;

  /** @param step must not throw */
  constructor(step: () => Promise<void>) {
    this.#ended = this.#run(step);
  }

  /** Rests from its return on. */
  async hold(): Promise<void> {
    this.#isHeld = true;
    while (!this.#isResting) await sleep(5);
  }

  release(): void {
    this.#isHeld = false;
  }

  async end(): Promise<void> {
    this.#isEnding = true;
    await this.#ended;
  }

  async #run(step: () => Promise<void>): Promise<void> {
    while (!this.#isEnding) {
      this.#isResting = this.#isHeld;
      if (!this.#isHeld) await step();
      await sleep(10);
    }
    this.#isResting = true;
  }
}
