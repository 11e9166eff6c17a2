import type { RecordedEvent } from '../events/event.js';
import { integerFrom } from '../options/options.js';

/** Metadata key in events of a reaction's command: how many reactions led to it, one after the other. */
export const depthKey = 'reactionDepth';

/** How the id of a command of a reaction begins, which is the id of its commit. */
const commandPrefix = 'event-store/reaction/';

/** From this length on, a chain of reactions goes on with a warning: it may be a loop. */
export const suspiciousDepth = 10;

/** A chain of reactions that would be longer is stopped. AWS Lambda stops after 16. */
export const defaultMaxDepth = 100;

/**
 * How many reactions led to an event, one after the other; 0: none. Only metadata that reactions have written counts.
 * The count ends at a workflow in between, which doesn't pass it on.
 */
export function depthOf({ commitId, metadata }: RecordedEvent): number {
  const depth = metadata[depthKey];
  return integerFrom(1)(depth) === undefined && commitId.startsWith(commandPrefix) ? (depth as number) : 0;
}
