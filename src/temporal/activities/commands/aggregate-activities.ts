import { Context } from '@temporalio/activity';
import { snapshotModelOf } from '../../../core/aggregates/aggregate-repository.js';
import { assertStateIsJson } from '../../../core/aggregates/load-state.js';
import { statelessMessage } from '../../../core/decisions/command-call.js';
import { CommandFailedError, CommandOutcomeUnknownError } from '../../../core/errors/command-errors.js';
import { findEventStoreError } from '../../../core/errors/error-recognition.js';
import type { EventStoreError } from '../../../core/errors/event-store-error.js';
import { InvalidArgumentError } from '../../../core/errors/invalid-argument-error.js';
import { StoreUnavailableError } from '../../../core/errors/store-errors.js';
import type { EventMetadata } from '../../../core/events/event.js';
import {
  assertOptions,
  integerFrom,
  isPlainObject,
  type OptionCheck,
} from '../../../core/options/options.js';
import type { CommitChain } from '../../../core/store/append/commit-chain.js';
import type { EventStore } from '../../../core/store/event-store.js';
import type { SnapshotStore } from '../../../core/store/snapshot.js';
import { streamId } from '../../../core/store/stream-id.js';
import { describeError } from '../../../core/values/describe-error.js';
import type { JsonValue } from '../../../core/values/json.js';
import { wait } from '../../../core/values/wait.js';
import type { AggregateActivities } from '../../shared/activity-types.js';
import {
  defaultLaneSettings,
  type CommandOutcome,
  type ExecuteRequest,
  type LaneCommand,
  type LaneSettings,
} from '../../shared/command-lane.js';
import { fromErrorMessage, toErrorMessage } from '../../shared/error-message.js';
import { assertFitsPayload } from '../../shared/payload-size.js';
import { toReplayRequest } from '../../shared/requests.js';
import { madeOf } from '../activity-source.js';
import { activityLogger, isInActivity, isInLocalActivity, logged, type ActivityLogger } from '../logged.js';
import { unknownHereFailure } from '../unknown-here.js';
import { aggregateModelOf, type AggregateModel } from './aggregate-model.js';
import { AggregateRegistry, type AnyAggregate, type AnyDecision } from './aggregate-registry.js';
import { CommandExecutor } from './command-executor.js';
import { homeOf } from './command-identity.js';
import { activityMetrics, noMetrics, type CommandMetrics } from './command-metrics.js';
import { withCommitChain } from './commit-chain.js';
import { fitOutcomes } from './fit-outcomes.js';
import { directly, interruptible } from './interruptible.js';
import { loadAggregate, type OnWarning } from './load-aggregate.js';
import { DecidingHeartbeats, survive } from './lost-workers.js';

export interface AggregateActivitiesOptions {
  /** With `appendCommits`, the commands of a batch for one stream are appended at once. */
  readonly store: EventStore & Partial<CommitChain>;
  /** Aggregate classes and deciders, told apart by their categories, and decisions, by their names. */
  readonly aggregates: readonly (AnyAggregate | AnyDecision)[];
  /** Where states are kept, so that only the events after them are read. Default: nowhere. */
  readonly snapshots?: SnapshotStore;
  /** A command makes a snapshot when this many events came since the last. Default 500. */
  readonly snapshotEvery?: number;
  /** Limits of the states kept in memory between commands. */
  readonly cache?: StateCacheOptions;
  /** Settings of the lanes that this worker runs, from their next run on. */
  readonly commandLanes?: CommandLaneOptions;
  /** Default: the activity's own logger. */
  readonly logger?: ActivityLogger;
}

export interface StateCacheOptions {
  /** Most states. Default 10,000. */
  readonly max?: number;
  /**
   * Most bytes of all states, by an estimate: two for each character of a text, plus the overhead of objects and
   * lists. State in `#private` fields isn't seen. A state that exceeds the limit alone is loaded for each batch.
   * Default 64,000,000.
   */
  readonly maxBytes?: number;
}

/** Each as in {@link LaneSettings}. */
export type CommandLaneOptions = Partial<LaneSettings>;

/**
 * The activities that need to know your aggregates: those behind `AggregateClient`, `proxyAggregateClient` and
 * `eventStoreReplay`.
 *
 * @throws InvalidArgumentError for an unknown option, when two aggregates or decisions have the same name, or one lists a
 *   command that it doesn't have
 */
export function createAggregateActivities(options: AggregateActivitiesOptions): AggregateActivities {
  assertOptions(
    'createAggregateActivities',
    options,
    {
      store: isPlainObject,
      aggregates: isList,
      snapshots: isPlainObject,
      snapshotEvery: integerFrom(1),
      cache: isPlainObject,
      commandLanes: isPlainObject,
      logger: isPlainObject,
    },
    ['store', 'aggregates'],
  );
  assertOptions('the cache', options.cache, { max: integerFrom(1), maxBytes: integerFrom(1) });
  assertOptions('commandLanes', options.commandLanes, {
    idleTimeout: integerFrom(1_000),
    maxUpdates: integerFrom(1),
    batchTimeout: integerFrom(1),
  });
  const { store, snapshots, snapshotEvery = 500, cache, logger } = options;
  const laneSettings: LaneSettings = { ...defaultLaneSettings, ...options.commandLanes };
  const aggregates = new AggregateRegistry(options.aggregates);
  const onWarning: OnWarning = (message, attributes) => {
    (logger ?? activityLogger()).warn(message, attributes);
  };
  const executor = new CommandExecutor({
    store: withCommitChain(store),
    aggregates,
    snapshots,
    snapshotEvery,
    maxStates: cache?.max ?? 10_000,
    maxStateBytes: cache?.maxBytes ?? 64_000_000,
    batchTimeout: laneSettings.batchTimeout,
    onWarning,
  });
  const execute = async (
    request: ExecuteRequest,
    metrics: CommandMetrics,
  ): Promise<readonly CommandOutcome[]> => {
    if (request.isRerun === true) return request.commands.map(afterLoss);
    if (request.refusal !== undefined) return executor.refuse(request, request.refusal);
    const outcomes =
      request.isSuspect === true && request.yieldAfter !== undefined
        ? await executeSuspects(request, metrics)
        : await executor.execute(request, originOfCommands(), metrics);
    const open = outcomes.find((outcome) => outcome.kind === 'open');
    if (open?.reason === 'unknown') {
      if (request.givesBack !== true) return executor.refuseUnknown(request, outcomes);
      await pauseBeforeGivingBack();
    } else if (open !== undefined && request.yieldAfter === undefined) {
      throw fromErrorMessage(open.error);
    }
    return outcomes;
  };
  const executeSuspects = async (
    request: ExecuteRequest,
    metrics: CommandMetrics,
  ): Promise<readonly CommandOutcome[]> => {
    const heartbeats = new DecidingHeartbeats();
    try {
      return await executor.executeSuspects(request, originOfCommands(), metrics, (command) =>
        heartbeats.begin(command),
      );
    } finally {
      heartbeats.stop();
    }
  };
  const executeLogged = (request: ExecuteRequest): Promise<readonly CommandOutcome[]> =>
    logged(
      logger,
      'Execute commands',
      { category: request.category, commands: request.commands.length },
      async () => {
        const metrics = isInActivity() ? activityMetrics(request.category) : noMetrics;
        metrics.onBatch(request.commands.length);
        const outcomes = await survive(
          (isSuspect) => execute(isSuspect ? { ...request, isSuspect } : request, metrics),
          () => executor.refuse(request, toErrorMessage(lostOver(request))),
        );
        for (const outcome of outcomes) if (outcome.kind !== 'open') metrics.onOutcome(outcome);
        return fitOutcomes(outcomes);
      },
      'debug',
    );
  const activities: AggregateActivities = {
    eventStoreExecute: executeLogged,
    eventStoreExecuteFirst: async (request) => ({
      outcomes: await executeLogged(request),
      settings: laneSettings,
    }),
    eventStoreLaneSettings: () => Promise.resolve(laneSettings),
    eventStoreReplay: ({ givesBack = false, ...request }) =>
      logged(
        logger,
        'Replay',
        { ...request },
        async () => {
          const { aggregate: category, id, toVersion, until } = toReplayRequest(request);
          const registered = aggregates.find(category);
          if (registered === undefined) throw await toRefusal(givesBack, aggregates.unknown(category));
          if (registered.kind === 'decision') throw new InvalidArgumentError(statelessMessage(category));
          const { aggregate } = registered;
          const stream = streamId(category, id);
          const isPresent = toVersion === undefined && until === undefined;
          const snapshot = isPresent ? await snapshots?.load(stream, snapshotModelOf(aggregate)) : undefined;
          const model = aggregateModelOf(aggregate, id, undefined);
          const { state, version } = await survive(
            (isSuspect) => {
              const run = isSuspect ? interruptible(laneSettings.batchTimeout) : directly;
              const builder = aggregateModelOf(aggregate, id, undefined, run);
              return loadAggregate(store, stream, builder, onWarning, { snapshot, toVersion, until });
            },
            () => Promise.reject(lostInReplay(stream)),
          ).catch(async (error: unknown) => {
            const tooNew = findEventStoreError(error, 'EVENT_TOO_NEW');
            throw tooNew === undefined ? error : await toRefusal(givesBack, tooNew);
          });
          const shown = assertStateIsJson(show(stream, model, state), category);
          return { version, state: assertFitsPayload('The state', shown) };
        },
        'debug',
        ({ version }) => ({ version }),
      ),
  };
  return madeOf({ store, part: 'aggregates', known: aggregates.known }, activities);
}

/** @throws CommandFailedError when the aggregate's own `toSnapshot` throws */
function show<S>(stream: string, model: AggregateModel<S>, state: S): JsonValue {
  try {
    return model.show(state);
  } catch (error) {
    throw new CommandFailedError(
      `The state of '${stream}' can't be shown: 'toSnapshot' failed with ${describeError(error)}.`,
      { cause: findEventStoreError(error) ?? error },
    );
  }
}

const isList: OptionCheck = (value) =>
  Array.isArray(value) ? undefined : 'a list of aggregates and decisions';

/** Milliseconds before a task is given back, so that it isn't passed around at full speed. */
const pause = 50;

async function pauseBeforeGivingBack(): Promise<void> {
  if (!isInLocalActivity()) await wait(pause);
}

function afterLoss({ name }: LaneCommand): CommandOutcome {
  const error = new StoreUnavailableError(`The worker that had got the command '${name}' gave no answer.`);
  return { kind: 'open', reason: 'lost', error: toErrorMessage(error) };
}

/** The error when workers were lost over a command: whether it took effect isn't known. */
function lostOver({ category, commands }: ExecuteRequest): EventStoreError {
  const [command] = commands as readonly [LaneCommand];
  const { name, commandId } = command;
  return new CommandOutcomeUnknownError(
    `3 workers stopped answering while they decided the command '${name}' to '${homeOf(category, command)}': it never ends, or takes ` +
      `the process down. Correct the code, restart the workers that answer no more, and ask again with the command id '${commandId}'.`,
    { commandId },
  );
}

function lostInReplay(stream: string): EventStoreError {
  return new CommandFailedError(
    `3 workers stopped answering while they built the state of '${stream}': that never ends, or takes the process down. ` +
      'Correct the code of the aggregate, and restart the workers that answer no more.',
  );
}

/** The error of a worker that doesn't know enough for a replay; another worker may. */
async function toRefusal(givesBack: boolean, error: EventStoreError): Promise<Error> {
  if (!givesBack) return error;
  await pauseBeforeGivingBack();
  return unknownHereFailure(error.message, { nonRetryable: true });
}

/** The workflow that sent the commands. */
function originOfCommands(): EventMetadata {
  const execution = isInActivity() ? Context.current().info.workflowExecution : undefined;
  return execution === undefined ? {} : { workflowId: execution.workflowId, runId: execution.runId };
}
