import type { CommandOutcome, LaneCommand } from '../shared/command-lane.js';

/** A caller waiting for the outcome. */
interface Waiter {
  readonly resolve: (outcome: CommandOutcome) => void;
  readonly reject: (error: unknown) => void;
  /** Clears the timer and the listener. */
  readonly release: () => void;
}

/** A command on its way, and the callers that wait for its outcome. */
export class PendingCommand {
  readonly command: LaneCommand;
  /** Bytes of its JSON in UTF-8. */
  readonly bytes: number;
  /**
   * The overflow lane that the command may have reached, 0 for the lane itself; undefined before it is sent. It is
   * sent again to the same lane only, or it could be rejected on one and decided anew on the other.
   */
  lane: number | undefined;
  /** Why the command has no outcome yet. */
  lastError: unknown;
  readonly #waiters = new Set<Waiter>();
  readonly #onAbandoned: () => void;

  constructor(command: LaneCommand, bytes: number, onAbandoned: () => void) {
    this.command = command;
    this.bytes = bytes;
    this.#onAbandoned = onAbandoned;
  }

  /** False once the command has its outcome, or no caller waits for it any more. */
  get isWanted(): boolean {
    return this.#waiters.size > 0;
  }

  /**
   * Waits for the outcome.
   *
   * @param onTimeout makes the error after `timeout` milliseconds
   */
  wait(timeout: number, signal: AbortSignal | undefined, onTimeout: () => Error): Promise<CommandOutcome> {
    return new Promise((resolve, reject) => {
      const giveUp = (error: unknown): void => {
        this.#release(waiter);
        waiter.reject(error);
        if (!this.isWanted) this.#onAbandoned();
      };
      const timer = setTimeout(() => {
        giveUp(onTimeout());
      }, timeout);
      const abort = (): void => {
        giveUp(signal?.reason);
      };
      signal?.addEventListener('abort', abort);
      const release = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', abort);
      };
      const waiter = { resolve, reject, release };
      this.#waiters.add(waiter);
    });
  }

  settle(outcome: CommandOutcome): void {
    for (const waiter of this.#waiters) {
      this.#release(waiter);
      waiter.resolve(outcome);
    }
  }

  fail(error: unknown): void {
    for (const waiter of this.#waiters) {
      this.#release(waiter);
      waiter.reject(error);
    }
  }

  #release(waiter: Waiter): void {
    waiter.release();
    this.#waiters.delete(waiter);
  }
}
