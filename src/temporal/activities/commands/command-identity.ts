import { hashCommand } from '../../../core/aggregates/command-hash.js';
import { streamId } from '../../../core/store/stream-id.js';
import type { LaneCommand } from '../../shared/command-lane.js';

/**
 * The stream in which a command is found again. A worker that doesn't know the aggregate or the decision finds it, too.
 *
 * @param category of the aggregate, or name of the decision
 */
export function homeOf(category: string, { id, home }: Pick<LaneCommand, 'id' | 'home'>): string {
  return home ?? streamId(category, id);
}

/**
 * Tells a command that is sent again from another with its id, as `createCommandHandler` and `createDecisionHandler` do.
 *
 * @param category of the aggregate, or name of the decision
 */
export function commandHashOf(category: string, { home, name, payload }: LaneCommand): string | undefined {
  const command = { type: name, data: payload };
  return hashCommand(home === undefined ? command : { decision: category, command });
}
