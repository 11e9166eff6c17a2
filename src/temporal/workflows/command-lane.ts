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
import { InvalidArgumentError } from '../../core/errors/errors.js';
import { isObject } from '../../core/values/json.js';
import { findNameProblem } from '../../core/values/name.js';
import {
  laneIsDraining,
  laneStatusQuery,
  laneSuspectSignal,
  laneUpdateName,
  maxCommandsPerUpdate,
  type CommandLaneInput,
  type CommandLaneStatus,
  type LaneCommand,
  type LaneReply,
  type LaneUpdateOptions,
} from '../shared/command-lane.js';
import { assertInput } from '../shared/requests.js';
import { ApartCommands, reasonOf } from './apart-commands.js';
import { LaneActivities } from './lane-activities.js';
import { Suspects } from './lane-suspects.js';
import { WaitingList } from './lane-waiting-list.js';

const executeUpdate = defineUpdate<
  LaneReply,
  [commands: readonly LaneCommand[], options: LaneUpdateOptions | undefined]
>(laneUpdateName);
const suspectSignal = defineSignal<[ids: readonly string[]]>(laneSuspectSignal);
const statusQuery = defineQuery<CommandLaneStatus>(laneStatusQuery);

/** Events of a run after which it continues as new: the next worker has to replay them. */
const maxHistory = 1_000;

/**
 * Orders the commands of one aggregate, or of a part of a category's aggregates, and makes them durable: a command that
 * it has accepted is decided and answered, whoever dies. Deciding happens in an activity, one batch at a time, in which
 * all the commands that wait go together. An aggregate whose commands take long, or whose stream the store doesn't get at, or
 * that the worker doesn't know, leaves the batch: its commands go on by themselves, in their order, while the others pass.
 * `AggregateClient` starts the lane and sends its updates.
 *
 * It completes when no command has come for a while, or it is cancelled; the next starts it again.
 */
export function eventStoreCommandLane(input: CommandLaneInput): Promise<void> {
  const { cancelRequested } = CancellationScope.current();
  // What it has accepted is answered also when it is cancelled.
  return CancellationScope.nonCancellable(() => runLane(input, cancelRequested));
}

async function runLane(input: CommandLaneInput, cancelRequested: Promise<never>): Promise<void> {
  const { category, suspects: earlier } = checkedInput(input);
  const waiting = new WaitingList();
  const activities = new LaneActivities(category);
  const suspects = new Suspects(earlier);
  const apart = new ApartCommands(waiting, activities, suspects, () => isDraining);
  let [inBatch, batches, updates, inFlight, crowd] = [0, 0, 0, 0, 0];
  let lastCommandAt = Date.now();
  /** Whether this run ends as soon as nobody waits; those who are answered hold their next update back for it. */
  let isEnding = false;
  let isDraining = false;
  let isIdle = false;
  let cancellation: unknown;
  cancelRequested.catch((error: unknown) => {
    cancellation = error;
    isDraining = true;
  });

  setHandler(statusQuery, () => ({
    pending: waiting.size - inBatch,
    inBatch,
    processed: waiting.settled,
    batches,
    isDraining,
  }));
  // At first, so that it is heard before the updates that come with it.
  setHandler(suspectSignal, (ids) => {
    for (const id of ids) if (!waiting.isApart(id)) suspects.suspect(id);
  });
  setHandler(
    executeUpdate,
    async (commands, options) => {
      updates++;
      inFlight++;
      lastCommandAt = Date.now();
      const update = waiting.add(commands, options?.isPatient ?? false);
      await CancellationScope.nonCancellable(() => condition(() => update.left === 0));
      inFlight--;
      return { outcomes: update.outcomes, updatesInFlight: crowd, ...(isEnding && { isEnding }) };
    },
    {
      validator: (commands, _options) => {
        if (isDraining) {
          throw ApplicationFailure.nonRetryable('This run of the lane is about to end.', laneIsDraining);
        }
        checkCommands(commands);
      },
    },
  );

  /** One timer, set again from the last command, instead of one a command. */
  const watchIdleness = async (): Promise<void> => {
    for (;;) {
      const { idleTimeout } = activities.settings;
      const rest = lastCommandAt + idleTimeout - Date.now();
      if (rest <= 0 && waiting.size === 0) break;
      // The worker may say another than the default.
      await condition(() => activities.settings.idleTimeout !== idleTimeout, Math.max(rest, 1_000));
    }
    isIdle = true;
  };

  const flush = async (): Promise<void> => {
    const entries = waiting.takeBatch();
    inBatch = entries.length;
    batches++;
    setCurrentDetails(
      `${inBatch} commands in batch ${batches}, ${waiting.size - inBatch} wait, ${waiting.settled} processed`,
    );
    const outcomes = await activities.executeTogether(entries.map(({ command }) => command));
    inBatch = 0;
    // With those that came meanwhile, before the first of them is answered.
    crowd = inFlight;
    const { maxUpdates } = activities.settings;
    const { historyLength, continueAsNewSuggested } = workflowInfo();
    isEnding = updates >= maxUpdates || historyLength >= maxHistory || continueAsNewSuggested;
    const unanswered: string[] = [];
    let openSince = Date.now();
    for (const [id, left] of waiting.settle(entries, outcomes, isDraining)) {
      const reason = reasonOf(left.map((entry) => outcomes[entries.indexOf(entry)]));
      if (reason === 'lost') {
        suspects.suspect(id);
      } else if (reason === 'store') {
        unanswered.push(id);
        openSince = Math.min(openSince, left[0]?.openSince ?? openSince);
      } else {
        void apart.goOn(id, left, reason);
      }
    }
    if (unanswered.length > 0) void apart.waitForStore(unanswered, openSince);
    setCurrentDetails(`${waiting.settled} commands processed in ${batches} batches, ${waiting.size} wait`);
  };

  // A first run begins with commands, whose batch brings the settings.
  const isFirst = workflowInfo().continuedFromExecutionRunId === undefined;
  void (isFirst ? watchIdleness() : activities.loadSettings().then(watchIdleness));
  for (;;) {
    await condition(() => waiting.isReady || (waiting.size === 0 && (isIdle || isDraining)));
    const suspected = suspects.isEmpty ? undefined : waiting.idsOf((command) => suspects.has(command));
    if (suspected !== undefined && suspected.size > 0) {
      void apart.probe(waiting.takeBatch((id) => suspected.has(id)));
    }
    if (waiting.isReady) await flush();
    const { idleTimeout, maxUpdates } = activities.settings;
    if (isIdle && Date.now() < lastCommandAt + idleTimeout) {
      isIdle = false;
      void watchIdleness();
    }
    // Where updates come without a pause, they are refused in the end.
    isDraining =
      cancellation !== undefined || updates >= 2 * maxUpdates || workflowInfo().continueAsNewSuggested;
    if (waiting.size > 0 || !(isEnding || isDraining || isIdle)) continue;
    // Whoever waits for an answer must have it before this run ends.
    await condition(allHandlersFinished);
    if (waiting.size > 0) continue;
    if (cancellation !== undefined) throw cancellation as Error;
    if (isEnding || isDraining) {
      const known = suspects.toList();
      await continueAsNew<typeof eventStoreCommandLane>({
        version: 1,
        category,
        ...(known.length > 0 && { suspects: known }),
      });
    }
    return;
  }
}

function checkedInput(input: CommandLaneInput): CommandLaneInput {
  const { version, category } = assertInput('eventStoreCommandLane', input);
  if (version === 1 && typeof category === 'string') return input;
  throw new InvalidArgumentError(
    'eventStoreCommandLane is started by AggregateClient, with { version: 1, category }.',
  );
}

/** @throws InvalidArgumentError; the update then leaves no trace in the history */
function checkCommands(commands: unknown): void {
  if (!Array.isArray(commands) || commands.length === 0 || commands.length > maxCommandsPerUpdate) {
    throw new InvalidArgumentError(
      `${laneUpdateName} takes a list of 1 to ${maxCommandsPerUpdate} commands. Send them with AggregateClient.`,
    );
  }
  for (const [index, command] of (commands as unknown[]).entries()) {
    const { id, commandId, name, metadata, causationId } = (
      isObject(command) ? command : {}
    ) as Partial<LaneCommand>;
    const names = { id, commandId, name, ...(causationId !== undefined && { causationId }) };
    for (const [field, value] of Object.entries(names)) {
      const problem = findNameProblem(value);
      if (problem !== undefined) {
        throw new InvalidArgumentError(
          `commands[${index}].${field} ${problem}. Send them with AggregateClient.`,
        );
      }
    }
    if (metadata !== undefined && (!isObject(metadata) || Array.isArray(metadata))) {
      throw new InvalidArgumentError(`commands[${index}].metadata must be an object.`);
    }
  }
}
