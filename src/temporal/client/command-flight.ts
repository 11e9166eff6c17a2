import type { CommandOutcome, LaneCommand } from '../shared/command-lane.js';

/** A command on its way, and those who wait for its outcome. */
export class CommandFlight {
  readonly command: LaneCommand;
  /** Tells the command from another with its id. */
  readonly hash: string | undefined;
  /** Of its JSON, in UTF-8. */
  readonly bytes: number;
  /** Whether it may have reached the lane. */
  isSent = false;
  /** Why it has no outcome yet. */
  lastError: unknown;
  readonly #waiting = new Set<(outcome: CommandOutcome | undefined, error?: unknown) => void>();
  readonly #onAbandoned: () => void;

  constructor(command: LaneCommand, hash: string | undefined, bytes: number, onAbandoned: () => void) {
    this.command = command;
    this.hash = hash;
    this.bytes = bytes;
    this.#onAbandoned = onAbandoned;
  }

  /** False when it has its outcome, or nobody waits for it any more. */
  get isWanted(): boolean {
    return this.#waiting.size > 0;
  }

  /**
   * Waits for the outcome.
   *
   * @param onTimeout makes the error after that many milliseconds
   */
  wait(timeout: number, signal: AbortSignal | undefined, onTimeout: () => Error): Promise<CommandOutcome> {
    return new Promise((resolve, reject) => {
      const settle = (outcome: CommandOutcome | undefined, error?: unknown): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', abort);
        this.#waiting.delete(settle);
        if (outcome !== undefined) resolve(outcome);
        // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- a signal's reason can be anything
        else reject(error);
      };
      const giveUp = (error: unknown): void => {
        settle(undefined, error);
        if (!this.isWanted) this.#onAbandoned();
      };
      const timer = setTimeout(() => {
        giveUp(onTimeout());
      }, timeout);
      const abort = (): void => {
        giveUp(signal?.reason);
      };
      signal?.addEventListener('abort', abort);
      this.#waiting.add(settle);
    });
  }

  land(outcome: CommandOutcome): void {
    for (const settle of [...this.#waiting]) settle(outcome);
  }

  fail(error: unknown): void {
    for (const settle of [...this.#waiting]) settle(undefined, error);
  }
}
