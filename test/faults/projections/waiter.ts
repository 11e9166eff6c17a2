import { setTimeout as sleep } from 'node:timers/promises';
import { isEventStoreError } from 'temporal-event-store';
import type { ProjectionClient } from 'temporal-event-store/client';
import { findMissing } from './audit.js';
import { ledger } from './ledger.js';
import { Loop } from './loop.js';

export interface WaiterOptions {
  readonly projector: ProjectionClient;
  readonly url: string;
  /** Of the last event that somebody was told is stored. */
  readonly position: () => number;
  readonly onUnexpected: (error: string) => void;
}

/** Waits for what was written all the time, and looks whether it is there when it is told so. */
export class Waiter {
  readonly loop: Loop;
  /** Events that were not there. */
  readonly offences: string[] = [];
  answers = 0;
  /** That it isn't there yet, or that nobody knows. */
  refusals = 0;
  /** Up to here the read model holds everything. */
  position = 0;
  readonly #options: WaiterOptions;
  /** Asked for until it is there. */
  #wanted = 0;

  constructor(options: WaiterOptions) {
    this.#options = options;
    this.loop = new Loop(() => this.#wait());
  }

  async #wait(): Promise<void> {
    const { projector, url, onUnexpected } = this.#options;
    if (this.#wanted <= this.position) this.#wanted = this.#options.position();
    const position = this.#wanted;
    try {
      await projector.waitFor(ledger, position, { timeout: 5_000 });
    } catch (error) {
      if (isEventStoreError(error, 'PROJECTION_BEHIND') || isEventStoreError(error, 'STORE_UNAVAILABLE')) {
        this.refusals++;
      } else {
        onUnexpected(`waitFor: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
      }
      // One that has stopped refuses at once.
      await sleep(200);
      return;
    }
    try {
      const missing = await findMissing(url, position);
      this.answers++;
      this.position = Math.max(this.position, position);
      if (missing.length > 0) {
        this.offences.push(`told that ${position} is there, without ${missing.slice(0, 3).join()}`);
      }
    } catch {
      // The server is down: asked again.
    }
  }
}
