import type { EventPublisher } from '../../core/projections/publisher.js';
import { innermostOf } from '../../core/store/decorated-store.js';
import type { EventStore } from '../../core/store/event-store.js';

/** The store and the definitions that activities of the library are made of. */
export interface ActivitySource {
  readonly store: EventStore;
  readonly part: 'events' | 'aggregates' | 'projections';
  /** The aggregates by category, or the projections by name and version. */
  readonly known: ReadonlyMap<string, unknown>;
  readonly appendPublisher?: EventPublisher | undefined;
}

/** A symbol, so that copies of the package recognize it. */
const source = Symbol.for('temporal-event-store/activity-source');

/** Marks activities with what they are made of. @returns the activities */
export function madeOf<Activities extends object>(made: ActivitySource, activities: Activities): Activities {
  for (const activity of Object.values(activities)) Object.defineProperty(activity, source, { value: made });
  return activities;
}

/** Undefined for an activity of the user. */
export function sourceOf(activity: unknown): ActivitySource | undefined {
  return typeof activity === 'function'
    ? (activity as { readonly [source]?: ActivitySource })[source]
    : undefined;
}

/** Describes a store for an error: by its class, and by its aggregates and projections. */
export function describeSources(sources: readonly ActivitySource[]): string {
  const [{ store }] = sources as [ActivitySource];
  const known = sources.flatMap(({ part, known: names }) =>
    names.size === 0 ? [] : [`${part}: ${[...names.keys()].join(', ')}`],
  );
  const what = known.length === 0 ? 'without aggregates and projections' : known.join('; ');
  const { name } = innermostOf(store).constructor;
  return `the ${name === 'Object' ? 'EventStore' : name} (${what})`;
}
