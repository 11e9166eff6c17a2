import type { CommandOutcome, LaneCommand, LaneUpdateOptions } from '../shared/command-lane.js';
import { fromErrorMessage } from '../shared/error-message.js';
import { takeFairly } from '../shared/take-fairly.js';
import type { CommandFlight } from './command-flight.js';
import { isCrowded, isTransient } from './send-commands.js';

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
  /** Called when a command has its outcome, or nobody waits for it any more. */
  readonly onLanded: (flight: CommandFlight) => void;
  /** Called when nothing is left to send. */
  readonly onEmpty: () => void;
}

/** Bytes of commands in one update; a larger one goes alone. Temporal warns at 512 KiB, and a codec adds to it. */
const maxBatchBytes = 256 * 1024;
const firstBackoff = 20;
const maxBackoff = 2_000;

/** Most updates of open commands under way. The server takes 10 of a lane, of all processes. */
const maxFollowed = 3;

/** An update under way. */
interface Delivery {
  readonly flights: readonly CommandFlight[];
  readonly abort: AbortController;
}

/**
 * The commands of this process for one lane. One update is under way at a time; what comes meanwhile goes together in the
 * next. An update that gets no answer is sent again, under the same command ids, as long as somebody waits. A command that it
 * leaves open is asked for again beside the others, which don't wait for it.
 */
export class CommandLaneQueue {
  readonly #options: LaneQueueOptions;
  #flights: CommandFlight[] = [];
  #open: CommandFlight[] = [];
  readonly #deliveries = new Set<Delivery>();
  #isRunning = false;
  #followed = 0;

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
    for (const flights of [this.#flights, this.#open]) {
      for (const flight of flights.filter(({ isWanted }) => !isWanted)) this.#landed(flight, flights);
    }
    for (const { flights, abort } of this.#deliveries) {
      if (flights.every(({ isWanted }) => !isWanted)) abort.abort();
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

  /** Asks again for the open ones, as long as there are any. */
  async #follow(): Promise<void> {
    this.#followed++;
    for (let attempt = 0; this.#open.length > 0; attempt++) {
      const batch = this.#takeOpen();
      if (attempt > 0) await backOff(attempt);
      await this.#deliver(batch, { isPatient: true });
      this.#settle(batch);
    }
    this.#followed--;
    this.#endIfEmpty();
  }

  /** Lets go of what has its outcome, or is nobody's any more, and has the rest followed. */
  #settle(batch: readonly CommandFlight[]): void {
    for (const flight of batch) {
      if (flight.isWanted) this.#open.push(flight);
      else this.#options.onLanded(flight);
    }
    if (this.#open.length > 0 && this.#followed < maxFollowed) void this.#follow();
  }

  #endIfEmpty(): void {
    if (!this.#isRunning && this.#followed === 0) this.#options.onEmpty();
  }

  /**
   * Until there is an answer, in which some may be open.
   *
   * @param batch commands that are new, or were sent to the same lane
   */
  async #deliver(batch: readonly CommandFlight[], options: LaneUpdateOptions): Promise<void> {
    for (let attempt = 0; ; attempt++) {
      const wanted = batch.filter(({ isWanted }) => isWanted);
      if (wanted.length === 0) return;
      const delivery = { flights: wanted, abort: new AbortController() };
      this.#deliveries.add(delivery);
      const sentTo = wanted[0]?.lane;
      const lane = sentTo ?? this.#options.chooseLane();
      for (const flight of wanted) flight.lane = lane;
      try {
        const outcomes = await this.#options.send(
          lane,
          wanted.map(({ command }) => command),
          options,
          delivery.abort.signal,
        );
        for (const [index, flight] of wanted.entries()) {
          const outcome = outcomes[index] as CommandOutcome;
          if (outcome.kind === 'open') flight.lastError = fromErrorMessage(outcome.error);
          else flight.land(outcome);
        }
        return;
      } catch (error) {
        if (!isTransient(error)) {
          await this.#deliverApart(wanted, options, error);
          return;
        }
        for (const flight of wanted) {
          flight.lastError = error;
          // The lane has never had it, so another will do.
          if (sentTo === undefined && isCrowded(error)) flight.lane = undefined;
        }
      } finally {
        this.#deliveries.delete(delivery);
      }
      await backOff(attempt);
    }
  }

  /** One of them may spoil the update; alone, it fails alone. */
  async #deliverApart(
    flights: readonly CommandFlight[],
    options: LaneUpdateOptions,
    error: unknown,
  ): Promise<void> {
    if (flights.length === 1) {
      flights[0]?.fail(error);
      return;
    }
    for (const flight of flights) await this.#deliver([flight], options);
  }

  /** In turns, so that the commands of one aggregate don't wait for all of another's. */
  #takeBatch(): readonly CommandFlight[] {
    let [count, bytes] = [0, 0];
    const batch = takeFairly(
      this.#flights,
      ({ command }) => command.id,
      (flight) => {
        bytes += flight.bytes;
        count++;
        return count === 1 || (count <= this.#options.maxBatch && bytes <= maxBatchBytes);
      },
    );
    const taken = new Set(batch);
    this.#flights = this.#flights.filter((flight) => !taken.has(flight));
    return batch;
  }

  /** The next that were sent to one lane. */
  #takeOpen(): readonly CommandFlight[] {
    const lane = this.#open[0]?.lane;
    const batch = this.#open.filter((flight) => flight.lane === lane).slice(0, this.#options.maxBatch);
    this.#open = this.#open.filter((flight) => !batch.includes(flight));
    return batch;
  }

  #landed(flight: CommandFlight, flights: CommandFlight[]): void {
    flights.splice(flights.indexOf(flight), 1);
    this.#options.onLanded(flight);
  }
}

/** Exponential with jitter. */
function backOff(attempt: number): Promise<void> {
  const delay = Math.min(maxBackoff, firstBackoff * 2 ** attempt) * (0.5 + Math.random() / 2);
  return new Promise((resolve) => setTimeout(resolve, delay));
}
