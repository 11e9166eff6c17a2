import { aggregateBuilder, snapshotModelOf } from '../../core/aggregates/aggregate-repository.js';
import type { AggregateRoot } from '../../core/aggregates/aggregate-root.js';
import { type AggregateClass } from '../../core/aggregates/aggregate-root.js';
import type { SnapshotStore } from '../../core/store/capabilities.js';
import { deciderBuilder } from '../../core/aggregates/command-handler.js';
import type { Decider } from '../../core/aggregates/decider.js';
import { InvalidArgumentError } from '../../core/errors/errors.js';
import type { EventStore } from '../../core/store/event-store.js';
import type { DomainEvent } from '../../core/events/event.js';
import type { JsonValue } from '../../core/values/json.js';
import { assertStateIsJson, loadState, type StateBuilder } from '../../core/aggregates/load-state.js';
import { assertOptions, isPlainObject, type OptionCheck } from '../../core/store/options.js';
import { streamId } from '../../core/store/stream-id.js';
import type { AggregateActivities } from '../shared/activity-types.js';
import { assertTravels } from '../shared/page-size.js';
import { toReplayRequest } from '../shared/requests.js';
import { logged, type ActivityLogger } from './logged.js';

/** A class that extends `AggregateRoot`, or a decider. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- a registry holds deciders of every state and command
export type AnyAggregate = AggregateClass | Decider<any, any, any>;

export interface AggregateActivitiesOptions {
  readonly store: EventStore;
  /** Aggregate classes and deciders, told apart by their categories. */
  readonly aggregates: readonly AnyAggregate[];
  /** Read before the events where a replay goes to the present. */
  readonly snapshots?: SnapshotStore;
  /** Default: the activity's own logger. */
  readonly logger?: ActivityLogger;
}

/**
 * The activities that need to know your aggregates: those behind `eventStoreReplay`.
 *
 * @throws InvalidArgumentError for an unknown option, or when two aggregates have the same category
 */
export function createAggregateActivities(options: AggregateActivitiesOptions): AggregateActivities {
  assertOptions(
    'createAggregateActivities',
    options,
    { store: isPlainObject, aggregates: isList, snapshots: isPlainObject, logger: isPlainObject },
    ['store', 'aggregates'],
  );
  const { store, snapshots, logger } = options;
  const aggregates = byCategory(options.aggregates);
  return {
    eventStoreReplay: (request) =>
      logged(
        logger,
        'Replay',
        { ...request },
        async () => {
          const { aggregate: category, id, toVersion, until } = toReplayRequest(request);
          const aggregate = aggregates.get(category);
          if (aggregate === undefined) throw unregistered(category, aggregates);
          const stream = streamId(category, id);
          const isPresent = toVersion === undefined && until === undefined;
          const snapshot = isPresent ? await snapshots?.load(stream, snapshotModelOf(aggregate)) : undefined;
          const shown = stateOf(aggregate, id);
          const { state, version } = await loadState(store, stream, shown, { snapshot, toVersion, until });
          return {
            version,
            state: assertTravels('The state', assertStateIsJson(shown.show(state), category)),
          };
        },
        'info',
        ({ version }) => ({ version }),
      ),
  };
}

/** How the state of an aggregate is built up and shown. */
interface ShownState<S> extends StateBuilder<S> {
  show(state: S): JsonValue;
}

function stateOf(aggregate: AnyAggregate, id: string): ShownState<unknown> {
  if (typeof aggregate !== 'function') {
    return { ...deciderBuilder<unknown, DomainEvent>(aggregate), show: (state) => state as JsonValue };
  }
  const builder = aggregateBuilder(aggregate, id) as StateBuilder<unknown>;
  return { ...builder, show: (state) => (state as AggregateRoot).toSnapshot() };
}

const isList: OptionCheck = (value) => (Array.isArray(value) ? undefined : 'a list of aggregates');

function byCategory(aggregates: readonly AnyAggregate[]): ReadonlyMap<string, AnyAggregate> {
  const found = new Map<string, AnyAggregate>();
  for (const aggregate of aggregates) {
    streamId(aggregate.category, 'any');
    const other = found.get(aggregate.category);
    if (other !== undefined && other !== aggregate) {
      throw new InvalidArgumentError(`Two aggregates have the category '${aggregate.category}'.`);
    }
    found.set(aggregate.category, aggregate);
  }
  return found;
}

function unregistered(category: string, aggregates: ReadonlyMap<string, unknown>): InvalidArgumentError {
  const known = [...aggregates.keys()].join(', ') || 'none';
  return new InvalidArgumentError(
    `The aggregate '${category}' is not registered on this worker; registered: ${known}. ` +
      `Add it to createAggregateActivities, or to the plugin's aggregates.`,
  );
}
