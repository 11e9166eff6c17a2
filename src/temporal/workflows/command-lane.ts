import {
  allHandlersFinished,
  ApplicationFailure,
  CancellationScope,
  condition,
  continueAsNew,
  defineQuery,
  defineSignal,
  defineUpdate,
  setCurrentDetails,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import {
  laneIsDraining,
  laneStatusQuery,
  laneSuspectSignal,
  laneUpdateName,
  type CommandLaneInput,
  type CommandLaneStatus,
  type CommandOutcome,
  type LaneCommand,
  type LaneReply,
  type LaneUpdateOptions,
} from '../shared/command-lane.js';
import { ApartCommands, reasonOf } from './apart-commands.js';
import { LaneActivities } from './lane-activities.js';
import { assertCommands, checkedInput } from './lane-requests.js';
import { Suspects } from './lane-suspects.js';
import { WaitingList, type WaitingCommand } from './lane-waiting-list.js';

const executeUpdate = defineUpdate<
  LaneReply,
  [commands: readonly LaneCommand[], options: LaneUpdateOptions | undefined]
>(laneUpdateName);
const suspectSignal = defineSignal<[ids: readonly string[]]>(laneSuspectSignal);
const statusQuery = defineQuery<CommandLaneStatus>(laneStatusQuery);

/** Events of a run after which it continues as new: the next worker has to replay them. */
const maxHistory = 1_000;

/**
 * Orders the commands of one aggregate, or of a part of a category's aggregates, and makes them durable: a command
 * that it has accepted is decided and answered, whichever process dies. An activity decides one batch at a time, with
 * all the commands that wait. An aggregate leaves the batch when its commands take long, the store can't reach its
 * stream, or the worker doesn't know it: its commands then go on by themselves, in order, while the others pass.
 * `AggregateClient` starts the lane and sends its updates.
 *
 * It completes when no command has come for a while, or when it is cancelled; the next command starts it again.
 */
export function eventStoreCommandLane(input: CommandLaneInput): Promise<void> {
  const { cancelRequested } = CancellationScope.current();
  // Accepted commands are answered even when the lane is cancelled.
  return CancellationScope.nonCancellable(() => new CommandLane(checkedInput(input), cancelRequested).run());
}

/** A run of a lane: takes one batch of waiting commands after the other, until it ends. */
class CommandLane {
  readonly #category: string;
  readonly #waiting = new WaitingList();
  readonly #activities: LaneActivities;
  readonly #suspects: Suspects;
  readonly #apart: ApartCommands;
  #inBatch = 0;
  #batches = 0;
  #updates = 0;
  #inFlight = 0;
  /** Updates in flight when the last batch ended. */
  #crowd = 0;
  #lastCommandAt = Date.now();
  /** Whether this run ends as soon as no command waits; clients, told so in the answers, hold their next update back. */
  #isEnding = false;
  /** Whether updates are refused, so that this run ends even when they come without a pause. */
  #isDraining = false;
  #isIdle = false;
  #cancellation: unknown;

  constructor({ category, suspects }: CommandLaneInput, cancelRequested: Promise<never>) {
    this.#category = category;
    this.#activities = new LaneActivities(category);
    this.#suspects = new Suspects(suspects);
    this.#apart = new ApartCommands(this.#waiting, this.#activities, this.#suspects, () => this.#isDraining);
    cancelRequested.catch((error: unknown) => {
      this.#cancellation = error;
      this.#isDraining = true;
    });
    setHandler(statusQuery, () => this.#status);
    // Registered before the updates, so that a signal is handled before the updates that come with it.
    setHandler(suspectSignal, (ids) => {
      for (const id of ids) if (!this.#waiting.isApart(id)) this.#suspects.suspect(id);
    });
    setHandler(executeUpdate, (commands, options) => this.#answer(commands, options?.isPatient ?? false), {
      validator: (commands, _options) => {
        if (this.#isDraining) {
          throw ApplicationFailure.nonRetryable('This run of the lane is about to end.', laneIsDraining);
        }
        assertCommands(commands);
      },
    });
  }

  async run(): Promise<void> {
    this.#begin();
    for (;;) {
      await condition(
        () => this.#waiting.isReady || (this.#waiting.size === 0 && (this.#isIdle || this.#isDraining)),
      );
      this.#probeSuspects();
      if (this.#waiting.isReady) await this.#executeBatch();
      this.#lookAtTheEnd();
      if (this.#waiting.size > 0 || !(this.#isEnding || this.#isDraining || this.#isIdle)) continue;
      // Every waiting update must have its answer before this run ends.
      await condition(allHandlersFinished);
      if (this.#waiting.size > 0) continue;
      return this.#end();
    }
  }

  get #status(): CommandLaneStatus {
    return {
      pending: this.#waiting.size - this.#inBatch,
      inBatch: this.#inBatch,
      processed: this.#waiting.settled,
      batches: this.#batches,
      isDraining: this.#isDraining,
    };
  }

  async #answer(commands: readonly LaneCommand[], isPatient: boolean): Promise<LaneReply> {
    this.#updates++;
    this.#inFlight++;
    this.#lastCommandAt = Date.now();
    const update = this.#waiting.add(commands, isPatient);
    await CancellationScope.nonCancellable(() => condition(() => update.left === 0));
    this.#inFlight--;
    return {
      outcomes: update.outcomes,
      updatesInFlight: this.#crowd,
      ...(this.#isEnding && { isEnding: true }),
    };
  }

  #begin(): void {
    // A first run begins with commands, whose batch brings the settings.
    const isFirst = workflowInfo().continuedFromExecutionRunId === undefined;
    void (isFirst
      ? this.#watchIdleness()
      : this.#activities.loadSettings().then(() => this.#watchIdleness()));
  }

  /** One timer, reset from the time of the last command, instead of a timer for each command. */
  async #watchIdleness(): Promise<void> {
    for (;;) {
      const { idleTimeout } = this.#activities.settings;
      const rest = this.#lastCommandAt + idleTimeout - Date.now();
      if (rest <= 0 && this.#waiting.size === 0) break;
      // The worker's setting may differ from the default.
      await condition(() => this.#activities.settings.idleTimeout !== idleTimeout, Math.max(rest, 1_000));
    }
    this.#isIdle = true;
  }

  /** Takes commands that may hold a worker up out of the waiting list, before a batch is taken. */
  #probeSuspects(): void {
    if (this.#suspects.isEmpty) return;
    const suspected = this.#waiting.idsOf((command) => this.#suspects.has(command));
    if (suspected.size > 0) void this.#apart.probe(this.#waiting.takeBatch((id) => suspected.has(id)));
  }

  async #executeBatch(): Promise<void> {
    const waiting = this.#waiting;
    const entries = waiting.takeBatch();
    this.#inBatch = entries.length;
    this.#batches++;
    const left = waiting.size - this.#inBatch;
    setCurrentDetails(
      `${this.#inBatch} commands in batch ${this.#batches}, ${left} wait, ${waiting.settled} processed`,
    );
    const outcomes = await this.#activities.executeTogether(entries.map(({ command }) => command));
    this.#inBatch = 0;
    // Counts the updates that came meanwhile, before the first is answered.
    this.#crowd = this.#inFlight;
    this.#isEnding = this.#isLongEnough;
    this.#settle(entries, outcomes);
    setCurrentDetails(
      `${waiting.settled} commands processed in ${this.#batches} batches, ${waiting.size} wait`,
    );
  }

  /** Answers the commands that have an outcome; the others go on by themselves. */
  #settle(entries: readonly WaitingCommand[], outcomes: readonly CommandOutcome[]): void {
    const unanswered: string[] = [];
    let openSince = Date.now();
    for (const [id, left] of this.#waiting.settle(entries, outcomes, this.#isDraining)) {
      const reason = reasonOf(left.map((entry) => outcomes[entries.indexOf(entry)]));
      if (reason === 'lost') {
        this.#suspects.suspect(id);
      } else if (reason === 'store') {
        unanswered.push(id);
        openSince = Math.min(openSince, left[0]?.openSince ?? openSince);
      } else {
        void this.#apart.goOn(id, left, reason);
      }
    }
    if (unanswered.length > 0) void this.#apart.waitForStore(unanswered, openSince);
  }

  get #isLongEnough(): boolean {
    const { historyLength, continueAsNewSuggested } = workflowInfo();
    return (
      this.#updates >= this.#activities.settings.maxUpdates ||
      historyLength >= maxHistory ||
      continueAsNewSuggested
    );
  }

  #lookAtTheEnd(): void {
    const { idleTimeout, maxUpdates } = this.#activities.settings;
    if (this.#isIdle && Date.now() < this.#lastCommandAt + idleTimeout) {
      this.#isIdle = false;
      void this.#watchIdleness();
    }
    // If updates come without a pause, they are refused in the end.
    this.#isDraining =
      this.#cancellation !== undefined ||
      this.#updates >= 2 * maxUpdates ||
      workflowInfo().continueAsNewSuggested;
  }

  /** @throws the cancellation, if the lane was cancelled */
  async #end(): Promise<void> {
    if (this.#cancellation !== undefined) throw this.#cancellation as Error;
    if (!this.#isEnding && !this.#isDraining) return;
    const known = this.#suspects.toList();
    await continueAsNew<typeof eventStoreCommandLane>({
      version: 1,
      category: this.#category,
      ...(known.length > 0 && { suspects: known }),
    });
  }
}
