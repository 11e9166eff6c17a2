import { commandHashOf } from './command-identity.js';
import type { PendingCommand } from './pending-command.js';

/** Most commands that are decided on one state and appended together. */
const maxBatch = 500;

/**
 * The commands of one aggregate, or of one key of a decision, in this process. They are executed one batch at a time, whichever lanes or workflows
 * sent them, and commands that come meanwhile form the next batch, so that they don't conflict with each other.
 */
export class StreamQueue {
  readonly #execute: (batch: readonly PendingCommand[]) => Promise<void>;
  readonly #onEmpty: () => void;
  readonly #waiting: PendingCommand[] = [];
  /** Commands that wait or are under way, by command id. */
  readonly #pending = new Map<string, PendingCommand>();
  #isRunning = false;

  /** @param execute settles each command of a batch; it never rejects */
  constructor(execute: (batch: readonly PendingCommand[]) => Promise<void>, onEmpty: () => void) {
    this.#execute = execute;
    this.#onEmpty = onEmpty;
  }

  /** @returns the command itself, or the same command that is pending already */
  enqueueOrJoin(pending: PendingCommand): PendingCommand {
    const { commandId } = pending.command;
    const other = this.#pending.get(commandId);
    if (other !== undefined && isSameCommand(other, pending)) return other;
    if (other === undefined) this.#pending.set(commandId, pending);
    this.#waiting.push(pending);
    return pending;
  }

  /** Executes the waiting commands, unless a batch is under way. */
  run(): void {
    if (this.#isRunning) return;
    this.#isRunning = true;
    void this.#runBatches();
  }

  async #runBatches(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, maxBatch);
      await this.#execute(batch);
      for (const pending of batch) {
        const { commandId } = pending.command;
        if (this.#pending.get(commandId) === pending) this.#pending.delete(commandId);
      }
    }
    this.#isRunning = false;
    this.#onEmpty();
  }
}

/** Whether two commands with one id are the same command, rather than two with the id by mistake. */
export function isSameCommand(one: PendingCommand, other: PendingCommand): boolean {
  return commandHashOf(one.category, one.command) === commandHashOf(other.category, other.command);
}
