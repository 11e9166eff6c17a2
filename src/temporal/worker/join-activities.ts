import { InvalidArgumentError } from '../../core/errors/invalid-argument-error.js';
import { describeSources, sourceOf, type ActivitySource } from '../activities/activity-source.js';

type Activities = Readonly<Record<string, unknown>>;

/**
 * Adds a plugin's activities to a worker's, which may be the user's own, or come from other plugins or factories of
 * this library. Those of one store complete each other.
 *
 * @throws InvalidArgumentError when there are two stores, or two that know different aggregates, projections or publishers
 */
export function joinActivities(given: Activities, own: Activities): Activities {
  const before = sourcesOf(given);
  const mine = sourcesOf(own);
  const [ours] = mine as [ActivitySource];
  const others = before.filter(({ store }) => store !== ours.store);
  if (others.length > 0) {
    const [other] = others as [ActivitySource];
    const theirs = before.filter(({ store }) => store === other.store);
    throw new InvalidArgumentError(
      `The activities of this worker use two stores: ${describeSources(theirs)} and ${describeSources(mine)}. A task queue has one store, ` +
        `or an append would go to either. Give each store a worker and a task queue of its own; if it is only one store, pass the same object everywhere.`,
    );
  }
  const replacing = new Set(
    mine.filter((each) => {
      const there = before.find(({ part }) => part === each.part);
      return there !== undefined && there !== each && isMore(each, there);
    }),
  );
  const kept = Object.entries(given).filter(([name]) => {
    const replacement = sourceOf(own[name]);
    return sourceOf(given[name]) === undefined || replacement === undefined || !replacing.has(replacement);
  });
  return { ...own, ...Object.fromEntries(kept) };
}

/**
 * Whether one source knows all that the other of the same part knows, and more.
 *
 * @throws InvalidArgumentError when each knows something of its own
 */
function isMore(mine: ActivitySource, theirs: ActivitySource): boolean {
  const { part } = mine;
  if (part === 'events') {
    if (mine.appendPublisher === undefined || mine.appendPublisher === theirs.appendPublisher) return false;
    if (theirs.appendPublisher === undefined) return true;
    throw new InvalidArgumentError(
      `Two plugins, or factories of activities, of one worker have an 'appendPublisher' each: the second would never be called. Combine them into one.`,
    );
  }
  const lacksOurs = missing(mine, theirs);
  const lacksTheirs = missing(theirs, mine);
  if (lacksOurs.length === 0) return false;
  if (lacksTheirs.length === 0) return true;
  throw new InvalidArgumentError(
    `Two plugins, or factories of activities, of one worker have ${part} each: ${lacksTheirs.join(', ')} and ${lacksOurs.join(', ')}. ` +
      `Only one of them would be there; list all in one.`,
  );
}

/**
 * Names that one source knows and the other doesn't, or knows as something else. A projection is known by its name
 * and version.
 */
function missing({ part, known }: ActivitySource, other: ActivitySource): readonly string[] {
  const isThere = (name: string): boolean =>
    other.known.has(name) && (part === 'projections' || other.known.get(name) === known.get(name));
  return [...known.keys()].filter((name) => !isThere(name));
}

function sourcesOf(activities: Activities): readonly ActivitySource[] {
  return [...new Set(Object.values(activities).map(sourceOf))].filter((each) => each !== undefined);
}
