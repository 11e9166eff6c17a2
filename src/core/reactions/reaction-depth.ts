import type { RecordedEvent } from '../events/event.js';
import { integerFrom } from '../store/options.js';

/** In the metadata of what a reaction's command has stored: how many reactions led to it, one after the other. */
export const depthKey = 'reactionDepth';

/** How the id of a command of a reaction begins, which is the id of its commit. */
const commandPrefix = 'event-store/reaction/';

/** A chain of reactions as long as this goes on, but is warned of: it may be a circle. */
export const suspiciousDepth = 10;

/** A chain of reactions that would be longer is stopped. AWS Lambda stops after 16. */
export const defaultMaxDepth = 100;

/**
 * How many reactions led to an event, one after the other; 0: none. What others than reactions write into its metadata doesn't
 * count. It ends where a workflow stands between, which doesn't pass it on.
 */
export function depthOf({ commitId, metadata }: RecordedEvent): number {
  const depth = metadata[depthKey];
  return integerFrom(1)(depth) === undefined && commitId.startsWith(commandPrefix) ? (depth as number) : 0;
}
