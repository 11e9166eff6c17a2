import { Context } from '@temporalio/activity';
import { snapshotModelOf } from '../../core/aggregates/aggregate-repository.js';
import { assertStateIsJson, loadState } from '../../core/aggregates/load-state.js';
import { findEventStoreError } from '../../core/errors/error-recognition.js';
import { CommandFailedError } from '../../core/errors/errors.js';
import type { EventMetadata } from '../../core/events/event.js';
import type { CommitChain, SnapshotStore } from '../../core/store/capabilities.js';
import type { EventStore } from '../../core/store/event-store.js';
import { assertOptions, integerFrom, isPlainObject, type OptionCheck } from '../../core/store/options.js';
import { streamId } from '../../core/store/stream-id.js';
import { describeError } from '../../core/values/describe-error.js';
import type { JsonValue } from '../../core/values/json.js';
import type { AggregateActivities } from '../shared/activity-types.js';
import { assertTravels } from '../shared/page-size.js';
import { toReplayRequest } from '../shared/requests.js';
import { AggregateRegistry, type AnyAggregate } from './aggregate-registry.js';
import { behaviourOf, type Behaviour } from './behaviour.js';
import { CommandExecutor, namingTheEvent } from './command-executor.js';
import { activityMetrics, noMetrics } from './command-metrics.js';
import { withCommitChain } from './commit-chain.js';
import { fitOutcomes } from './fit-outcomes.js';
import { activityLogger, isInActivity, logged, type ActivityLogger } from './logged.js';

export interface AggregateActivitiesOptions {
  /** With `appendCommits`, the commands of a batch that go to one stream are appended at once. */
  readonly store: EventStore & Partial<CommitChain>;
  /** Aggregate classes and deciders, told apart by their categories. */
  readonly aggregates: readonly AnyAggregate[];
  /** Where states are kept, to be read before the events that follow. Default: nowhere. */
  readonly snapshots?: SnapshotStore;
  /** A command makes a snapshot when this many events came since the last. Default 500. */
  readonly snapshotEvery?: number;
  /** The states that are kept in memory between commands. `max`: how many, default 10,000. */
  readonly cache?: { readonly max?: number };
  /** Default: the activity's own logger. */
  readonly logger?: ActivityLogger;
}

/**
 * The activities that need to know your aggregates: those behind `AggregateClient`, `proxyAggregateClient` and
 * `eventStoreReplay`.
 *
 * @throws InvalidArgumentError for an unknown option, when two aggregates have the same category, or one lists a command
 *   that it doesn't have
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
      logger: isPlainObject,
    },
    ['store', 'aggregates'],
  );
  assertOptions('the cache', options.cache, { max: integerFrom(1) });
  const { store, snapshots, snapshotEvery = 500, cache, logger } = options;
  const aggregates = new AggregateRegistry(options.aggregates);
  const onWarning = (message: string, attributes: Record<string, unknown>): void => {
    (logger ?? activityLogger()).warn(message, attributes);
  };
  const executor = new CommandExecutor({
    store: withCommitChain(store),
    aggregates,
    snapshots,
    snapshotEvery,
    maxStates: cache?.max ?? 10_000,
    onWarning,
  });
  return {
    eventStoreExecute: (request) =>
      logged(
        logger,
        'Execute commands',
        { category: request.category, commands: request.commands.length },
        async () => {
          const metrics = isInActivity() ? activityMetrics(request.category) : noMetrics;
          metrics.onBatch(request.commands.length);
          const outcomes = await executor.execute(request, originOfCommands(), metrics);
          for (const outcome of outcomes) if (outcome.kind !== 'open') metrics.onOutcome(outcome);
          return fitOutcomes(outcomes);
        },
        'debug',
      ),
    eventStoreReplay: (request) =>
      logged(
        logger,
        'Replay',
        { ...request },
        async () => {
          const { aggregate: category, id, toVersion, until } = toReplayRequest(request);
          const aggregate = aggregates.get(category);
          const stream = streamId(category, id);
          const isPresent = toVersion === undefined && until === undefined;
          const snapshot = isPresent ? await snapshots?.load(stream, snapshotModelOf(aggregate)) : undefined;
          const behaviour = behaviourOf(aggregate, id);
          // What the aggregate's own code throws is typed, or the activity would be tried again for ever.
          const { state, version } = await loadState(store, stream, namingTheEvent(stream, behaviour), {
            snapshot,
            onBrokenSnapshot: (error) => {
              onWarning('Snapshot not restored; the events are used', {
                streamId: stream,
                error: describeError(error),
              });
            },
            toVersion,
            until,
          });
          const shown = assertStateIsJson(show(stream, behaviour, state), category);
          return { version, state: assertTravels('The state', shown) };
        },
        'debug',
        ({ version }) => ({ version }),
      ),
  };
}

/** @throws CommandFailedError when the aggregate's own `toSnapshot` throws */
function show<S>(stream: string, behaviour: Behaviour<S>, state: S): JsonValue {
  try {
    return behaviour.show(state);
  } catch (error) {
    throw new CommandFailedError(
      `The state of '${stream}' can't be shown: 'toSnapshot' failed with ${describeError(error)}.`,
      { cause: findEventStoreError(error) ?? error },
    );
  }
}

const isList: OptionCheck = (value) => (Array.isArray(value) ? undefined : 'a list of aggregates');

/** The workflow by which the commands came. */
function originOfCommands(): EventMetadata {
  const execution = isInActivity() ? Context.current().info.workflowExecution : undefined;
  return execution === undefined ? {} : { workflowId: execution.workflowId, runId: execution.runId };
}
