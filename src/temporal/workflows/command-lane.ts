import {
  allHandlersFinished,
  ApplicationFailure,
  CancellationScope,
  condition,
  continueAsNew,
  defineQuery,
  defineUpdate,
  isCancellation,
  proxyActivities,
  proxyLocalActivities,
  setCurrentDetails,
  setHandler,
  sleep,
  workflowInfo,
} from '@temporalio/workflow';
import { findEventStoreError, isRetryable } from '../../core/errors/error-recognition.js';
import { InvalidArgumentError, StoreUnavailableError } from '../../core/errors/errors.js';
import { describeError } from '../../core/values/describe-error.js';
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
  type ExecuteRequest,
  type LaneCommand,
  type LaneUpdateOptions,
} from '../shared/command-lane.js';
import { toErrorMessage } from '../shared/error-message.js';
import { assertInput } from '../shared/requests.js';

const executeUpdate = defineUpdate<
  readonly CommandOutcome[],
  [commands: readonly LaneCommand[], options: LaneUpdateOptions | undefined]
>(laneUpdateName);
const statusQuery = defineQuery<CommandLaneStatus>(laneStatusQuery);

/** Most commands that are decided together, of all the updates that wait. */
const maxBatch = 500;
const maxBatchCharacters = 1_000_000;

/** Milliseconds after which a batch gives back what is done. What isn't goes on by itself, and holds up nobody. */
const yieldAfter = 1_000;
/** For a worker that is held up, beside what it is given. */
const reserve = 10_000;
/** Milliseconds without an outcome after which the client is told so. It sends the command again while a caller waits. */
const giveUpAfter = 15_000;

/** A command that waits for its outcome. */
interface Waiting {
  readonly command: LaneCommand;
  /** One that was sent again waits with the first. */
  readonly askers: { readonly update: Update; readonly index: number }[];
  /** Since when it has been found open. */
  openSince?: number;
}

interface Update {
  readonly outcomes: CommandOutcome[];
  /** Commands without an outcome. */
  left: number;
  readonly isPatient: boolean;
}

/**
 * Orders the commands of one aggregate, or of a part of a category's aggregates, and makes them durable: a command that
 * it has accepted is decided and answered, whoever dies. Deciding happens in an activity, one batch at a time, in which
 * all the commands that wait go together. An aggregate whose commands take long, or whose stream the store doesn't get at,
 * leaves the batch: its commands go on by themselves, in their order, while the others pass. `AggregateClient` starts the
 * lane and sends its updates.
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
  /** By aggregate and command id, in their order. */
  const waiting = new Map<string, Waiting>();
  /** Aggregates whose commands are under way by themselves. */
  const apart = new Set<string>();
  let [inBatch, processed, batches, updates] = [0, 0, 0, 0];
  let lastCommandAt = Date.now();
  let isDraining = false;
  let isIdle = false;
  let cancellation: unknown;
  cancelRequested.catch((error: unknown) => {
    cancellation = error;
    isDraining = true;
  });

  const answer = (entry: Waiting, outcome: CommandOutcome, isAnswered: (update: Update) => boolean): void => {
    const answered = entry.askers.filter(({ update }) => isAnswered(update));
    for (const { update, index } of answered) {
      update.outcomes[index] = outcome;
      update.left--;
    }
    entry.askers.splice(0, entry.askers.length, ...entry.askers.filter((asker) => !answered.includes(asker)));
  };

  setHandler(statusQuery, () => ({
    pending: waiting.size - inBatch,
    inBatch,
    processed,
    batches,
    isDraining,
  }));
  setHandler(
    executeUpdate,
    async (commands, options) => {
      const update: Update = { outcomes: [], left: commands.length, isPatient: options?.isPatient ?? false };
      for (const [index, command] of commands.entries()) {
        const key = keyOf(command);
        const entry = waiting.get(key) ?? { command, askers: [] };
        entry.askers.push({ update, index });
        waiting.set(key, entry);
        if (apart.has(command.id)) answer(entry, behindOthers(command), isImpatient);
      }
      lastCommandAt = Date.now();
      updates++;
      await CancellationScope.nonCancellable(() => condition(() => update.left === 0));
      return update.outcomes;
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
      const rest = lastCommandAt + idleTimeout - Date.now();
      if (rest <= 0 && waiting.size === 0) break;
      await sleep(Math.max(rest, 1_000));
    }
    isIdle = true;
  };
  void watchIdleness();

  /** Answers with what is known, and that the rest is open to those who don't wait for it. @returns the rest, by aggregate */
  const settleKnown = (
    entries: readonly Waiting[],
    outcomes: readonly CommandOutcome[],
  ): ReadonlyMap<string, Waiting[]> => {
    const left = new Map<string, Waiting[]>();
    for (const [index, entry] of entries.entries()) {
      const outcome = outcomes[index] as CommandOutcome;
      if (outcome.kind === 'open') {
        entry.openSince ??= Date.now();
        // A run that is about to end leaves it to the next.
        if (!isDraining && Date.now() - entry.openSince < giveUpAfter) {
          answer(entry, outcome, isImpatient);
          const { id } = entry.command;
          left.set(id, [...(left.get(id) ?? []), entry]);
          continue;
        }
      }
      answer(entry, outcome, () => true);
      waiting.delete(keyOf(entry.command));
      processed++;
    }
    return left;
  };

  /** The commands of one aggregate that were left by their batch. */
  const goOnApart = async (id: string, entries: readonly Waiting[]): Promise<void> => {
    let left: readonly Waiting[] = entries;
    for (let attempt = 0; left.length > 0; attempt++) {
      if (attempt > 0) await sleep(Math.min(2_000, 50 * 2 ** attempt));
      const outcomes = await executeApart(category, left, batchTimeout);
      left = settleKnown(left, outcomes).get(id) ?? [];
    }
    apart.delete(id);
  };

  /** The store gave no answer: the aggregates leave the lane to the others for a while. */
  const waitForStore = async (ids: readonly string[], openSince: number): Promise<void> => {
    await sleep(Math.min(2_000, Math.max(50, Date.now() - openSince)));
    for (const id of ids) apart.delete(id);
  };

  const flush = async (): Promise<void> => {
    const entries = takeBatch(waiting.values(), apart);
    inBatch = entries.length;
    batches++;
    setCurrentDetails(
      `${inBatch} commands in batch ${batches}, ${waiting.size - inBatch} wait, ${processed} processed`,
    );
    const outcomes = await executeTogether(category, entries, batchTimeout);
    inBatch = 0;
    const unanswered: string[] = [];
    let openSince = Date.now();
    for (const [id, left] of settleKnown(entries, outcomes)) {
      apart.add(id);
      for (const entry of waiting.values()) {
        if (entry.command.id === id) answer(entry, behindOthers(entry.command), isImpatient);
      }
      const outcome = outcomes[entries.indexOf(left[0] as Waiting)];
      if (outcome?.kind === 'open' && outcome.reason === 'store') {
        unanswered.push(id);
        openSince = Math.min(openSince, left[0]?.openSince ?? openSince);
      } else {
        void goOnApart(id, left);
      }
    }
    if (unanswered.length > 0) void waitForStore(unanswered, openSince);
    setCurrentDetails(`${processed} commands processed in ${batches} batches, ${waiting.size} wait`);
  };

  const isSomethingReady = (): boolean => {
    for (const { command } of waiting.values()) if (!apart.has(command.id)) return true;
    return false;
  };
  for (;;) {
    await condition(() => isSomethingReady() || (waiting.size === 0 && (isIdle || isDraining)));
    if (isSomethingReady()) await flush();
    if (isIdle && Date.now() < lastCommandAt + idleTimeout) {
      isIdle = false;
      void watchIdleness();
    }
    isDraining = cancellation !== undefined || updates >= maxUpdates || workflowInfo().continueAsNewSuggested;
    if (waiting.size > 0 || !(isDraining || isIdle)) continue;
    // Whoever waits for an answer must have it before this run ends.
    await condition(allHandlersFinished);
    if (waiting.size > 0) continue;
    if (cancellation !== undefined) throw cancellation as Error;
    if (isDraining) await continueAsNew<typeof eventStoreCommandLane>(input);
    return;
  }
}

/** By a local activity, which is quick; the worker gets nothing else of the lane meanwhile, so it ends soon. */
function executeTogether(
  category: string,
  entries: readonly Waiting[],
  batchTimeout: number,
): Promise<readonly CommandOutcome[]> {
  const { eventStoreExecute } = proxyLocalActivities<AggregateActivities>({
    startToCloseTimeout: yieldAfter + reserve,
    // What fails is left to the lane, which can do something else meanwhile.
    retry: { maximumAttempts: 1 },
  });
  return execute(eventStoreExecute, category, entries, { yieldAfter, timeLimit: batchTimeout });
}

/** By an activity, during which the lane goes on. It finds what an earlier batch is still deciding, if it meets its worker. */
function executeApart(
  category: string,
  entries: readonly Waiting[],
  batchTimeout: number,
): Promise<readonly CommandOutcome[]> {
  const { eventStoreExecute } = proxyActivities<AggregateActivities>({
    startToCloseTimeout: batchTimeout + reserve,
    scheduleToStartTimeout: giveUpAfter,
    retry: { maximumAttempts: 1 },
  });
  return execute(eventStoreExecute, category, entries, {
    yieldAfter: batchTimeout + yieldAfter,
    timeLimit: batchTimeout,
  });
}

/** Nothing escapes, or the workflow would hang or fail with all who wait. */
async function execute(
  eventStoreExecute: AggregateActivities['eventStoreExecute'],
  category: string,
  entries: readonly Waiting[],
  limits: Pick<ExecuteRequest, 'yieldAfter' | 'timeLimit'>,
): Promise<readonly CommandOutcome[]> {
  const commands = entries.map(({ command }) => command);
  for (;;) {
    try {
      return await eventStoreExecute({ category, commands, ...limits });
    } catch (error) {
      if (!isCancellation(error)) return commands.map(() => toOutcome(error));
      // A worker that evicts the lane or shuts down cancels what runs. The ids of the commands tell what it had done.
      await sleep('100 milliseconds');
    }
  }
}

/** What became of each command of a batch that failed as a whole: a worker that died or is held up may have stored some. */
function toOutcome(error: unknown): CommandOutcome {
  const ours = findEventStoreError(error);
  if (ours !== undefined && !isRetryable(ours)) {
    return { kind: 'failed', error: toErrorMessage(ours) };
  }
  const { cause } = error as { readonly cause?: unknown };
  const unanswered =
    ours ?? new StoreUnavailableError(`The batch of the command failed: ${describeError(cause ?? error)}`);
  return { kind: 'open', reason: 'deciding', error: toErrorMessage(unanswered) };
}

function isImpatient({ isPatient }: Update): boolean {
  return !isPatient;
}

/** What is told of a command while others of its aggregate are under way by themselves. */
function behindOthers({ id, name }: LaneCommand): CommandOutcome {
  const error = new StoreUnavailableError(`The command '${name}' waits for those to '${id}' before it.`);
  return { kind: 'open', reason: 'deciding', error: toErrorMessage(error) };
}

/** Commands of the same key are one, sent again. */
function keyOf({ id, commandId, name, payload }: LaneCommand): string {
  return JSON.stringify([id, commandId, name, payload]);
}

/** The next commands that wait, in their order, of aggregates that aren't under way by themselves. */
function takeBatch(waiting: Iterable<Waiting>, apart: ReadonlySet<string>): readonly Waiting[] {
  const batch: Waiting[] = [];
  let characters = 0;
  for (const entry of waiting) {
    if (apart.has(entry.command.id)) continue;
    characters += JSON.stringify(entry.command).length;
    if (batch.length > 0 && (batch.length >= maxBatch || characters > maxBatchCharacters)) break;
    batch.push(entry);
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
