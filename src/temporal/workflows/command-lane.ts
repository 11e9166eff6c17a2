import {
  allHandlersFinished,
  ApplicationFailure,
  CancellationScope,
  condition,
  continueAsNew,
  defineQuery,
  defineUpdate,
  isCancellation,
  proxyLocalActivities,
  setCurrentDetails,
  setHandler,
  sleep,
  workflowInfo,
} from '@temporalio/workflow';
import { findEventStoreError } from '../../core/errors/error-recognition.js';
import { CommandFailedError, InvalidArgumentError } from '../../core/errors/errors.js';
import { isObject } from '../../core/values/json.js';
import { findNameProblem } from '../../core/values/name.js';
import type { AggregateActivities } from '../shared/activity-types.js';
import {
  laneIsDraining,
  laneStatusQuery,
  laneUpdateName,
  maxCommandsPerUpdate,
  type CommandLaneInput,
  type CommandLaneStatus,
  type CommandOutcome,
  type LaneCommand,
} from '../shared/command-lane.js';
import { toErrorMessage } from '../shared/error-message.js';
import { assertInput } from '../shared/requests.js';

const executeUpdate = defineUpdate<readonly CommandOutcome[], [readonly LaneCommand[]]>(laneUpdateName);
const statusQuery = defineQuery<CommandLaneStatus>(laneStatusQuery);

/** Most commands that are decided together, of all the updates that wait. */
const maxBatch = 500;
const maxBatchCharacters = 1_000_000;

/** An update that waits for its outcomes. */
interface Waiting {
  readonly commands: readonly LaneCommand[];
  /** Of its commands in their order, as far as they are decided. */
  readonly outcomes: CommandOutcome[];
}

/**
 * Orders the commands of one aggregate, or of a share of a category's aggregates, and makes them durable: a command that
 * it has accepted is decided and answered, whoever dies. Deciding happens in an activity, one batch at a time, in which
 * all the commands that wait go together. `AggregateClient` starts it and sends its updates.
 *
 * It completes when no command has come for a while, or it is cancelled; the next starts it again.
 */
export function eventStoreCommandLane(input: CommandLaneInput): Promise<void> {
  const { cancelRequested } = CancellationScope.current();
  // What it has accepted is answered also when it is cancelled.
  return CancellationScope.nonCancellable(() => runLane(input, cancelRequested));
}

async function runLane(input: CommandLaneInput, cancelRequested: Promise<never>): Promise<void> {
  const { category, idleTimeout, maxUpdates, batchTimeout } = checkedInput(input);
  // Made here, because the timeout is the input's.
  const { eventStoreExecute } = proxyLocalActivities<AggregateActivities>({
    startToCloseTimeout: batchTimeout,
    retry: { initialInterval: '50 milliseconds', maximumInterval: '2 seconds' },
  });
  const waiting: Waiting[] = [];
  let [pending, inBatch, processed, batches, updates] = [0, 0, 0, 0, 0];
  let lastCommandAt = Date.now();
  let isDraining = false;
  let isIdle = false;
  let cancellation: unknown;
  cancelRequested.catch((error: unknown) => {
    cancellation = error;
    isDraining = true;
  });

  setHandler(statusQuery, () => ({ pending, inBatch, processed, batches, isDraining }));
  setHandler(
    executeUpdate,
    async (commands) => {
      const update: Waiting = { commands, outcomes: [] };
      waiting.push(update);
      pending += commands.length;
      lastCommandAt = Date.now();
      updates++;
      await CancellationScope.nonCancellable(() => condition(() => isAnswered(update)));
      return update.outcomes;
    },
    {
      validator: (commands) => {
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
      const rest = lastCommandAt + idleTimeout - Date.now();
      if (rest <= 0 && waiting.length === 0 && inBatch === 0) break;
      await sleep(Math.max(rest, 1_000));
    }
    isIdle = true;
  };
  void watchIdleness();

  const flush = async (): Promise<void> => {
    const taken = takeBatch(waiting);
    const commands = taken.map(({ command }) => command);
    pending -= commands.length;
    inBatch = commands.length;
    batches++;
    setCurrentDetails(`${inBatch} commands in batch ${batches}, ${pending} wait, ${processed} processed`);
    const outcomes = await execute(eventStoreExecute, category, commands);
    for (const [index, { update }] of taken.entries()) {
      update.outcomes.push(outcomes[index] as CommandOutcome);
      if (isAnswered(update)) waiting.splice(waiting.indexOf(update), 1);
    }
    inBatch = 0;
    processed += commands.length;
    setCurrentDetails(`${processed} commands processed in ${batches} batches, ${pending} wait`);
  };

  for (;;) {
    await condition(() => waiting.length > 0 || isIdle || isDraining);
    if (waiting.length > 0) await flush();
    if (isIdle && Date.now() < lastCommandAt + idleTimeout) {
      isIdle = false;
      void watchIdleness();
    }
    isDraining = cancellation !== undefined || updates >= maxUpdates || workflowInfo().continueAsNewSuggested;
    if (waiting.length > 0 || !(isDraining || isIdle)) continue;
    // Whoever waits for an answer must have it before this run ends.
    await condition(allHandlersFinished);
    if (waiting.length > 0) continue;
    if (cancellation !== undefined) throw cancellation as Error;
    if (isDraining) await continueAsNew<typeof eventStoreCommandLane>(input);
    return;
  }
}

function isAnswered({ commands, outcomes }: Waiting): boolean {
  return outcomes.length === commands.length;
}

/** Nothing escapes, or the workflow would hang or fail with all who wait. */
async function execute(
  eventStoreExecute: AggregateActivities['eventStoreExecute'],
  category: string,
  commands: readonly LaneCommand[],
): Promise<readonly CommandOutcome[]> {
  for (;;) {
    try {
      return await eventStoreExecute({ category, commands });
    } catch (error) {
      if (!isCancellation(error)) return commands.map(() => toFailure(error));
      // A worker that evicts the lane or shuts down cancels what runs. The ids of the commands tell what it had done.
      await sleep('100 milliseconds');
    }
  }
}

function toFailure(error: unknown): CommandOutcome {
  const typed =
    findEventStoreError(error) ??
    new CommandFailedError(`The batch of the command failed: ${(error as Error).message}`);
  return { kind: 'failed', error: toErrorMessage(typed) };
}

/** The next commands of the updates that wait, in their order. */
function takeBatch(
  waiting: readonly Waiting[],
): readonly { readonly update: Waiting; readonly command: LaneCommand }[] {
  const batch: { readonly update: Waiting; readonly command: LaneCommand }[] = [];
  let characters = 0;
  for (const update of waiting) {
    for (const command of update.commands.slice(update.outcomes.length)) {
      characters += JSON.stringify(command).length;
      if (batch.length > 0 && (batch.length >= maxBatch || characters > maxBatchCharacters)) return batch;
      batch.push({ update, command });
    }
  }
  return batch;
}

function checkedInput(input: CommandLaneInput): CommandLaneInput {
  const { version, category, idleTimeout, maxUpdates, batchTimeout } = assertInput(
    'eventStoreCommandLane',
    input,
  );
  const isComplete =
    typeof category === 'string' &&
    [idleTimeout, maxUpdates, batchTimeout].every(
      (value) => Number.isSafeInteger(value) && Number(value) > 0,
    );
  if (version === 1 && isComplete) return input;
  throw new InvalidArgumentError(
    'eventStoreCommandLane is started by AggregateClient, with { version: 1, category, idleTimeout, maxUpdates, batchTimeout }.',
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
    const { id, commandId, name, metadata } = (isObject(command) ? command : {}) as Partial<LaneCommand>;
    for (const [field, value] of Object.entries({ id, commandId, name })) {
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
