import type { EventPublisher } from '../../core/projections/publisher.js';
import { innermostOf } from '../../core/store/decorated-store.js';
import type { EventStore } from '../../core/store/event-store.js';

/** What activities of the library are made of. */
export interface ActivitySource {
  readonly store: EventStore;
  readonly part: 'events' | 'aggregates' | 'projections';
  /** What they know: the aggregates by category, or the projections by name and version. */
  readonly known: ReadonlyMap<string, unknown>;
  readonly appendPublisher?: EventPublisher | undefined;
}

/** By a symbol, so that it is known across copies of the package. */
const source = Symbol.for('temporal-event-store/activity-source');

/** Remembers of activities what they are made of. @returns the activities */
export function madeOf<Activities extends object>(made: ActivitySource, activities: Activities): Activities {
  for (const activity of Object.values(activities)) Object.defineProperty(activity, source, { value: made });
  return activities;
}

/** Undefined for an activity of the user's. */
export function sourceOf(activity: unknown): ActivitySource | undefined {
  return typeof activity === 'function'
    ? (activity as { readonly [source]?: ActivitySource })[source]
    : undefined;
}

/** A store as an error names it: by its class, and by what belongs to it. */
export function describeSources(sources: readonly ActivitySource[]): string {
  const [{ store }] = sources as [ActivitySource];
  const known = sources.flatMap(({ part, known: names }) =>
    names.size === 0 ? [] : [`${part}: ${[...names.keys()].join(', ')}`],
  );
  const what = known.length === 0 ? 'without aggregates and projections' : known.join('; ');
  const { name } = innermostOf(store).constructor;
  return `the ${name === 'Object' ? 'EventStore' : name} (${what})`;
}
