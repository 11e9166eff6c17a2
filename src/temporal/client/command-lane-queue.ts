import { pauseAfter, type Backoff } from '../../core/values/backoff.js';
import { wait } from '../../core/values/wait.js';
import type { CommandOutcome, LaneCommand, LaneUpdateOptions } from '../shared/command-lane.js';
import { fromErrorMessage } from '../shared/error-message.js';
import { takeFairly } from '../shared/take-fairly.js';
import type { PendingCommand } from './pending-command.js';
import { isCrowded, isRetryableCallError } from './send-commands.js';

export interface LaneQueueOptions {
  /** Most commands in one update. */
  readonly maxBatch: number;
  /** Chooses the overflow lane for new commands. */
  readonly chooseLane: () => number;
  readonly send: (
    lane: number,
    commands: readonly LaneCommand[],
    options: LaneUpdateOptions,
    signal: AbortSignal,
  ) => Promise<readonly CommandOutcome[]>;
  /** Called when a command has its outcome, or no caller waits for it any more. */
  readonly onSettled: (pending: PendingCommand) => void;
  /** Called when nothing is left to send. */
  readonly onEmpty: () => void;
}

/** Bytes of commands in one update; a larger one goes alone. Temporal warns at 512 KiB, and a codec adds to it. */
const maxBatchBytes = 256 * 1024;
const backoff: Backoff = { first: 40, longest: 2_000, jitter: { part: 0.5, random: Math.random } };

/** Most updates under way for open commands. The server takes 10 per lane, from all processes together. */
const maxFollowed = 3;

/** An update under way. */
interface Delivery {
  readonly commands: readonly PendingCommand[];
  readonly abort: AbortController;
}

/**
 * The commands of this process for one lane. One update is under way at a time; commands that come meanwhile go
 * together in the next. An update without an answer is sent again, under the same command ids, as long as a caller
 * waits. Commands that it leaves open are asked for again in other updates, so that no others wait for them.
 */
export class CommandLaneQueue {
  readonly #options: LaneQueueOptions;
  #waiting: PendingCommand[] = [];
  #open: PendingCommand[] = [];
  readonly #deliveries = new Set<Delivery>();
  #isRunning = false;
  #followed = 0;

  constructor(options: LaneQueueOptions) {
    this.#options = options;
  }

  add(pending: PendingCommand): void {
    this.#waiting.push(pending);
    if (this.#isRunning) return;
    this.#isRunning = true;
    // After the current callbacks, so that callers that were answered together send together again.
    setImmediate(() => {
      void this.#run();
    });
  }

  /** Called when no caller waits for a command any more: it isn't sent again. */
  onAbandoned(): void {
    for (const list of [this.#waiting, this.#open]) {
      for (const pending of list.filter(({ isWanted }) => !isWanted)) this.#remove(pending, list);
    }
    for (const { commands, abort } of this.#deliveries) {
      if (commands.every(({ isWanted }) => !isWanted)) abort.abort();
    }
  }

  async #run(): Promise<void> {
    for (let batch = this.#takeBatch(); batch.length > 0; batch = this.#takeBatch()) {
      await this.#deliver(batch, {});
      this.#settle(batch);
    }
    this.#isRunning = false;
    this.#endIfEmpty();
  }

  /** Asks again for open commands, as long as there are any. */
  async #follow(): Promise<void> {
    this.#followed++;
    for (let attempt = 0; this.#open.length > 0; attempt++) {
      const batch = this.#takeOpen();
      if (attempt > 0) await wait(pauseAfter(attempt, backoff));
      await this.#deliver(batch, { isPatient: true });
      this.#settle(batch);
    }
    this.#followed--;
    this.#endIfEmpty();
  }

  /** Drops commands that have their outcome or no caller any more, and follows the rest. */
  #settle(batch: readonly PendingCommand[]): void {
    for (const pending of batch) {
      if (pending.isWanted) this.#open.push(pending);
      else this.#options.onSettled(pending);
    }
    if (this.#open.length > 0 && this.#followed < maxFollowed) void this.#follow();
  }

  #endIfEmpty(): void {
    if (!this.#isRunning && this.#followed === 0) this.#options.onEmpty();
  }

  /**
   * Sends commands until there is an answer, in which some may be open.
   *
   * @param batch commands that are new, or were all sent to the same lane
   */
  async #deliver(batch: readonly PendingCommand[], options: LaneUpdateOptions): Promise<void> {
    for (let attempt = 0; ; attempt++) {
      const wanted = batch.filter(({ isWanted }) => isWanted);
      if (wanted.length === 0) return;
      const delivery = { commands: wanted, abort: new AbortController() };
      this.#deliveries.add(delivery);
      const sentTo = wanted[0]?.lane;
      const lane = sentTo ?? this.#options.chooseLane();
      for (const pending of wanted) pending.lane = lane;
      try {
        const outcomes = await this.#options.send(
          lane,
          wanted.map(({ command }) => command),
          options,
          delivery.abort.signal,
        );
        for (const [index, pending] of wanted.entries()) {
          const outcome = outcomes[index] as CommandOutcome;
          if (outcome.kind === 'open') pending.lastError = fromErrorMessage(outcome.error);
          else pending.settle(outcome);
        }
        return;
      } catch (error) {
        if (!isRetryableCallError(error)) {
          await this.#deliverApart(wanted, options, error);
          return;
        }
        for (const pending of wanted) {
          pending.lastError = error;
          // The lane has never had the command, so another lane will do.
          if (sentTo === undefined && isCrowded(error)) pending.lane = undefined;
        }
      } finally {
        this.#deliveries.delete(delivery);
      }
      await wait(pauseAfter(attempt + 1, backoff));
    }
  }

  /** Sends the commands one by one: one of them may spoil the update, and alone it fails alone. */
  async #deliverApart(
    commands: readonly PendingCommand[],
    options: LaneUpdateOptions,
    error: unknown,
  ): Promise<void> {
    if (commands.length === 1) {
      commands[0]?.fail(error);
      return;
    }
    for (const pending of commands) await this.#deliver([pending], options);
  }

  /** Takes the next commands in turns, so that those of one aggregate don't wait for all of another's. */
  #takeBatch(): readonly PendingCommand[] {
    let [count, bytes] = [0, 0];
    const batch = takeFairly(
      this.#waiting,
      ({ command }) => command.id,
      (pending) => {
        bytes += pending.bytes;
        count++;
        return count === 1 || (count <= this.#options.maxBatch && bytes <= maxBatchBytes);
      },
    );
    const taken = new Set(batch);
    this.#waiting = this.#waiting.filter((pending) => !taken.has(pending));
    return batch;
  }

  /** Takes the next open commands that were sent to the same lane. */
  #takeOpen(): readonly PendingCommand[] {
    const lane = this.#open[0]?.lane;
    const batch = this.#open.filter((pending) => pending.lane === lane).slice(0, this.#options.maxBatch);
    this.#open = this.#open.filter((pending) => !batch.includes(pending));
    return batch;
  }

  #remove(pending: PendingCommand, list: PendingCommand[]): void {
    list.splice(list.indexOf(pending), 1);
    this.#options.onSettled(pending);
  }
}
