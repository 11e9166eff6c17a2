import { InvalidArgumentError } from '../../../core/errors/invalid-argument-error.js';
import type { RecordedEvent } from '../../../core/events/event.js';
import { assertOptions, isPlainObject, type OptionCheck } from '../../../core/options/options.js';
import { isPublisher, type EventPublisher } from '../../../core/projections/publisher.js';
import type { MultiStreamAppends } from '../../../core/store/append/multi-stream-appends.js';
import type { StoreCapabilities } from '../../../core/store/capabilities.js';
import type { EventStore } from '../../../core/store/event-store.js';
import { iterateStream } from '../../../core/store/read/iterate.js';
import type { EventStatistics } from '../../../core/store/statistics/statistics.js';
import type { EventStoreActivities } from '../../shared/activity-types.js';
import { capPage, readToTravel } from '../../shared/page-size.js';
import { assertFitsPayload } from '../../shared/payload-size.js';
import { madeOf } from '../activity-source.js';
import { logged, type ActivityLogger } from '../logged.js';
import { unchangedAppends, unchangedBy } from './unchanged-events.js';

export interface EventStoreActivitiesOptions {
  /** The store. Statistics, and appends to several streams or under a condition, are offered if it has them. */
  readonly store: EventStore & Partial<StoreCapabilities>;
  /**
   * Called with the events of each append by the workflows `eventStoreAppend` and `eventStoreAppendStreams`, before they end,
   * stream by stream, and with what a workflow hands to `proxyEventPublisher`; again until it succeeds. It hears no other append:
   * `definePublisher` hears all. Default: none.
   */
  readonly appendPublisher?: EventPublisher;
  /** Default: the activity's own logger. */
  readonly logger?: ActivityLogger;
}

/**
 * The activities behind `proxyEventStore`, the ready-made workflows and `TemporalEventStore`: a plain object to
 * spread into `Worker.create({ activities })`. Errors of the store travel as typed failures; only those that another
 * attempt may resolve (`STORE_UNAVAILABLE`, `STORE_OVERLOADED`, `STORE_CLOSED`, and errors that are not the
 * library's) are retried.
 *
 * @throws InvalidArgumentError without a store, or for an unknown option
 * @example
 * const activities = { ...createEventStoreActivities({ store }), ...myActivities };
 */
export function createEventStoreActivities(options: EventStoreActivitiesOptions): EventStoreActivities {
  assertOptions(
    'createEventStoreActivities',
    options,
    {
      store: isStore,
      appendPublisher: isPublisher,
      logger: isPlainObject,
    },
    ['store'],
  );
  const { store, appendPublisher, logger } = options;
  const activities: EventStoreActivities = {
    eventStoreAppend: ({ streamId, events, schemasApplied, ...append }) =>
      logged(
        logger,
        'Append to stream',
        { streamId, events: events.length, ...append },
        async () => ({
          result: assertFitsPayload(
            'The result',
            await store.appendToStream(
              streamId,
              schemasApplied ? await unchangedBy(store, events) : events,
              append,
            ),
          ),
          publish: appendPublisher !== undefined,
        }),
        'info',
        ({ result: { version, position, deduplicated } }) => ({ version, position, deduplicated }),
      ),

    eventStoreAppendStreams: ({ appends, schemasApplied, ...options }) =>
      logged(
        logger,
        'Append to streams',
        {
          appends: appends.map(({ events, ...append }) => ({ ...append, events: events.length })),
          ...options,
        },
        async () => ({
          result: assertFitsPayload(
            'The result',
            await multiStreamAppendsOf(store).appendToStreams(
              schemasApplied ? await unchangedAppends(store, appends) : appends,
              options,
            ),
          ),
          publish: appendPublisher !== undefined,
        }),
        'info',
        ({ result: { parts, deduplicated } }) => ({
          versions: parts.map(({ version }) => version),
          position: parts.at(-1)?.position,
          deduplicated,
        }),
      ),

    eventStoreReadStream: ({ streamId, ...read }) =>
      logged(
        logger,
        'Read stream',
        { streamId, ...read },
        async () => {
          const slice = await store.readStream(streamId, readToTravel(read));
          const events = capPage(slice.events);
          return { ...slice, events, isEnd: slice.isEnd && events.length === slice.events.length };
        },
        'debug',
        ({ events, version }) => ({ events: events.length, version }),
      ),

    eventStoreReadAll: (read) =>
      logged(
        logger,
        'Read all',
        { ...read },
        async () => {
          const slice = await store.readAll(readToTravel(read));
          const events = capPage(slice.events);
          if (events.length === slice.events.length) return slice;
          const { settled: _, ...rest } = slice;
          return { ...rest, events, position: events.at(-1)?.position ?? slice.position, isEnd: false };
        },
        'debug',
        ({ events, position }) => ({ events: events.length, position }),
      ),

    eventStoreFindCommit: ({ streamId, commitId }) =>
      logged(
        logger,
        'Find commit',
        { streamId, commitId },
        async () => assertFitsPayload('The result', await store.findCommit(streamId, commitId)),
        'debug',
        (result) => ({ found: result !== undefined }),
      ),

    eventStoreStatistics: (request) =>
      logged(
        logger,
        'Statistics',
        { ...request },
        async () => assertFitsPayload('The statistics', await statisticsOf(store).statistics(request)),
        'debug',
      ),

    eventStoreTrends: (request) =>
      logged(
        logger,
        'Trends',
        { ...request },
        async () => assertFitsPayload('The trends', await statisticsOf(store).trends(request)),
        'debug',
      ),

    eventStorePublish: ({ streamId, fromVersion, toVersion }) =>
      logged(
        logger,
        'Publish',
        { streamId, fromVersion, toVersion },
        async () => {
          if (appendPublisher === undefined) {
            throw new InvalidArgumentError("This worker has no 'appendPublisher' to publish with.");
          }
          const events: RecordedEvent[] = [];
          for await (const event of iterateStream(store, streamId, { fromVersion, toVersion })) {
            events.push(event);
          }
          await appendPublisher.publish(events);
        },
        'info',
      ),
  };
  return madeOf({ store, part: 'events', known: new Map(), appendPublisher }, activities);
}

function statisticsOf(store: Partial<EventStatistics>): EventStatistics {
  if (store.statistics && store.trends) return store as EventStatistics;
  throw new InvalidArgumentError('The store of this worker has no statistics.');
}

function multiStreamAppendsOf(store: Partial<MultiStreamAppends>): MultiStreamAppends {
  if (store.appendToStreams) return store as MultiStreamAppends;
  throw new InvalidArgumentError(
    `The store of this worker can't append to several streams or under a condition: it has no 'appendToStreams'.`,
  );
}

const isStore: OptionCheck = (value) =>
  ['appendToStream', 'readStream', 'readAll', 'findCommit'].every(
    (method) => typeof (value as Record<string, unknown> | null)?.[method] === 'function',
  )
    ? undefined
    : 'an EventStore';
