import type { DomainEvent, EventToAppend, RecordedEvent } from '../events/event.js';
import type { Commit } from '../store/append/commit-chain.js';
import type { MultiAppendOptions, StreamAppend } from '../store/append/multi-stream-appends.js';
import { storedForm, storedFormOf } from '../store/append/stored-form.js';
import type { StoreCapabilities } from '../store/capabilities.js';
import { decorateStore, type Replacements } from '../store/decorated-store.js';
import type { AppendResult, EventStore } from '../store/event-store.js';
import { storedReads, storedReadsOf } from '../store/read/stored-reads.js';
import { findDifference } from '../values/find-difference.js';
import { assertRegistry, upcastEvent, validateEvent, type EventRegistry } from './event-registry.js';
import { findMade, storedFormBy } from './stored-events.js';
import type { TypedStore } from './typed-store.js';

/**
 * Wraps a store so that it checks new events against their schemas and returns old ones in their present shape, at
 * every read. Aggregates, projections and subscriptions then see present shapes only.
 *
 * An event type that the registry doesn't list doesn't compile in an append and is refused; a read returns such an
 * event as it is stored.
 *
 * The store keeps everything else: capabilities, `migrate`, `close`. A store that one of its methods returns, such as
 * `inTransaction`, checks and upcasts in the same way.
 *
 * @throws {@link InvalidArgumentError} for a registry that was copied, such as `{ ...a, ...b }`: use {@link
 *   mergeEvents}
 * @throws InvalidEventError from appends, with the path of what does not fit; from reads, when an upcaster throws
 * @throws EventTooNewError from reads, when the event is newer than the registry
 * @example
 * const store = withEvents(new MemoryEventStore(), paymentEvents);
 */
export function withEvents<S extends EventStore, R extends EventRegistry>(
  store: S,
  registry: R,
): TypedStore<S, R> {
  assertRegistry('withEvents', registry);
  return decorated(store, registry) as TypedStore<S, R>;
}

function decorated(
  inner: EventStore & Partial<StoreCapabilities>,
  registry: EventRegistry,
): EventStore & Partial<StoreCapabilities> {
  const present = <Slice extends { readonly events: readonly RecordedEvent[] }>(slice: Slice): Slice => ({
    ...slice,
    events: slice.events.map((event) => upcastEvent(registry, event)),
  });
  const readPresent: EventStore['readAll'] = async <E extends DomainEvent>(
    ...args: Parameters<EventStore['readAll']>
  ) => present(await inner.readAll<E>(...args));
  const replaced: Replacements = {
    async appendToStream(streamId, events, options) {
      const stored = await validate(registry, events, 'events');
      return marked(await inner.appendToStream(streamId, stored, options), events, stored);
    },
    async readStream<E extends DomainEvent>(...args: Parameters<EventStore['readStream']>) {
      return present(await inner.readStream<E>(...args));
    },
    readAll: readPresent,
    [storedReads]: {
      readAll: (options) => storedReadsOf(inner).readAll(options),
      decode: (event) => upcastEvent(registry, storedReadsOf(inner).decode(event)),
      of: readPresent,
    },
    [storedForm]: storedFormBy(registry, storedFormOf(inner)),
    ...(inner.appendCommits && {
      async appendCommits<E extends DomainEvent>(
        streamId: string,
        commits: readonly Commit<E>[],
        options?: Parameters<StoreCapabilities['appendCommits']>[2],
      ) {
        const checked = await validateEach(registry, commits, 'commits');
        const results = await (inner as StoreCapabilities).appendCommits(streamId, checked, options);
        return markedEach(results, commits, checked);
      },
    }),
    ...(inner.appendToStreams && {
      async appendToStreams<E extends DomainEvent>(
        appends: readonly StreamAppend<E>[],
        options?: MultiAppendOptions,
      ) {
        const checked = await validateEach(registry, appends, 'appends');
        const result = await (inner as StoreCapabilities).appendToStreams(checked, options);
        return { ...result, parts: markedEach(result.parts, appends, checked) };
      },
    }),
  };
  return decorateStore(inner, replaced, (other) => decorated(other, registry));
}

/** Commits, or parts of one. */
interface HasEvents {
  readonly events: readonly EventToAppend[];
}

/** What isn't a list is left to the store, whose error says so. */
async function validateEach<T extends HasEvents>(
  registry: EventRegistry,
  items: readonly T[],
  place: string,
): Promise<readonly T[]> {
  if (!Array.isArray(items)) return items;
  return Promise.all(
    items.map(async (item: T, index) => ({
      ...item,
      events: await validate(registry, item?.events, `${place}[${index}].events`),
    })),
  );
}

function markedEach(
  results: readonly AppendResult[],
  given: readonly HasEvents[],
  stored: readonly HasEvents[],
): readonly AppendResult[] {
  return results.map((result, index) =>
    marked(result, (given[index] as HasEvents).events, (stored[index] as HasEvents).events),
  );
}

/** Marks the result of an append whose events the schemas have changed. */
function marked(
  result: AppendResult,
  given: readonly EventToAppend[],
  stored: readonly EventToAppend[],
): AppendResult {
  const isChanged = stored.some(
    (event, index) => findDifference((given[index] as EventToAppend).data, event.data) !== undefined,
  );
  return isChanged ? { ...result, changedBySchema: true } : result;
}

/** What isn't a list is left to the store, whose error says so. */
async function validate(
  registry: EventRegistry,
  events: readonly EventToAppend[],
  place: string,
): Promise<readonly EventToAppend[]> {
  if (!Array.isArray(events)) return events;
  return Promise.all(
    Array.from(
      events,
      async (event: EventToAppend, index) =>
        findMade(registry, event) ?? validateEvent(registry, event, `${place}[${index}]`),
    ),
  );
}
