import type { CommandOutcome, LaneCommand } from '../shared/command-lane.js';
import type { CommandFlight } from './command-flight.js';
import { isTransient } from './send-commands.js';

export interface LaneQueueOptions {
  /** Most commands in one update. */
  readonly maxBatch: number;
  readonly send: (
    commands: readonly LaneCommand[],
    signal: AbortSignal,
  ) => Promise<readonly CommandOutcome[]>;
  /** Called when a command has its outcome, or nobody waits for it any more. */
  readonly onLanded: (flight: CommandFlight) => void;
  /** Called when nothing is left to send. */
  readonly onEmpty: () => void;
}

/** Bytes of commands in one update; a larger one goes alone. Temporal warns at 512 KiB, and a codec adds to it. */
const maxBatchBytes = 256 * 1024;
const firstBackoff = 20;
const maxBackoff = 2_000;

/**
 * The commands of this process for one lane. One update is under way at a time; what comes meanwhile goes together in the
 * next. An update that gets no answer is sent again, under the same command ids, as long as somebody waits.
 */
export class CommandLaneQueue {
  readonly #options: LaneQueueOptions;
  readonly #flights: CommandFlight[] = [];
  #underWay: readonly CommandFlight[] = [];
  #isRunning = false;
  #abort = new AbortController();

  constructor(options: LaneQueueOptions) {
    this.#options = options;
  }

  add(flight: CommandFlight): void {
    this.#flights.push(flight);
    if (this.#isRunning) return;
    this.#isRunning = true;
    // After what runs now: callers that were answered together send together again.
    setImmediate(() => {
      void this.#run();
    });
  }

  /** Nobody waits any more for a command: it isn't sent any more. */
  onAbandoned(): void {
    for (const flight of this.#flights.filter(({ isWanted }) => !isWanted)) this.#landed(flight);
    if (this.#underWay.length > 0 && this.#underWay.every(({ isWanted }) => !isWanted)) this.#abort.abort();
  }

  async #run(): Promise<void> {
    for (let batch = this.#takeBatch(); batch.length > 0; batch = this.#takeBatch()) {
      await this.#deliver(batch);
      for (const flight of batch) this.#options.onLanded(flight);
    }
    this.#isRunning = false;
    this.#options.onEmpty();
  }

  async #deliver(batch: readonly CommandFlight[]): Promise<void> {
    for (let attempt = 0; ; attempt++) {
      const wanted = batch.filter(({ isWanted }) => isWanted);
      if (wanted.length === 0) return;
      this.#underWay = wanted;
      this.#abort = new AbortController();
      for (const flight of wanted) flight.isSent = true;
      try {
        const outcomes = await this.#options.send(
          wanted.map(({ command }) => command),
          this.#abort.signal,
        );
        for (const [index, flight] of wanted.entries()) flight.land(outcomes[index] as CommandOutcome);
        return;
      } catch (error) {
        if (!isTransient(error)) {
          await this.#deliverApart(wanted, error);
          return;
        }
        for (const flight of wanted) flight.lastError = error;
      } finally {
        this.#underWay = [];
      }
      await backOff(attempt);
    }
  }

  /** One of them may spoil the update; alone, it fails alone. */
  async #deliverApart(flights: readonly CommandFlight[], error: unknown): Promise<void> {
    if (flights.length === 1) {
      flights[0]?.fail(error);
      return;
    }
    for (const flight of flights) await this.#deliver([flight]);
  }

  #takeBatch(): readonly CommandFlight[] {
    let bytes = 0;
    const end = this.#flights.findIndex((flight, index) => {
      bytes += flight.bytes;
      return index >= this.#options.maxBatch || (index > 0 && bytes > maxBatchBytes);
    });
    return this.#flights.splice(0, end < 0 ? this.#flights.length : end);
  }

  #landed(flight: CommandFlight): void {
    this.#flights.splice(this.#flights.indexOf(flight), 1);
    this.#options.onLanded(flight);
  }
}

/** Exponential with jitter. */
function backOff(attempt: number): Promise<void> {
  const delay = Math.min(maxBackoff, firstBackoff * 2 ** attempt) * (0.5 + Math.random() / 2);
  return new Promise((resolve) => setTimeout(resolve, delay));
}
