import type { EventMetadata } from '../../../core/events/event.js';
import type { CommandOutcome, LaneCommand } from '../../shared/command-lane.js';

/** A command on its way through this worker. All requests for it wait for the same outcome. */
export class PendingCommand {
  /** Of its aggregate; or the name of its decision. */
  readonly category: string;
  readonly command: LaneCommand;
  /** Metadata of its events: the workflow and run that sent it. */
  readonly metadata: EventMetadata;
  /** Milliseconds that deciding it may take. Undefined: no limit. */
  readonly timeLimit: number | undefined;
  /** Whether it may have held a worker up for good. */
  readonly isSuspect: boolean;
  readonly settled: Promise<void>;
  #outcome: CommandOutcome | undefined;
  #onSettled: () => void = () => undefined;

  constructor(
    category: string,
    command: LaneCommand,
    metadata: EventMetadata,
    timeLimit: number | undefined,
    isSuspect: boolean,
  ) {
    this.category = category;
    this.command = command;
    this.metadata = metadata;
    this.timeLimit = timeLimit;
    this.isSuspect = isSuspect;
    this.settled = new Promise((resolve) => {
      this.#onSettled = resolve;
    });
  }

  /** Undefined until known. */
  get outcome(): CommandOutcome | undefined {
    return this.#outcome;
  }

  /**
   * The outcome, if known. Only the first request is told that the command has just taken effect; the others get
   * `deduplicated`.
   */
  tell(): CommandOutcome | undefined {
    const outcome = this.#outcome;
    if (outcome?.kind === 'committed') this.#outcome = { ...outcome, deduplicated: true };
    return outcome;
  }

  settle(outcome: CommandOutcome): void {
    this.#outcome = outcome;
    this.#onSettled();
  }
}
