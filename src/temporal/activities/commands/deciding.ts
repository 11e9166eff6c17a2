import { CommandFailedError, CommandOutcomeUnknownError } from '../../../core/errors/command-errors.js';
import { findEventStoreError } from '../../../core/errors/error-recognition.js';
import { EventTooLargeError } from '../../../core/errors/event-errors.js';
import type { EventStoreError } from '../../../core/errors/event-store-error.js';
import type { EventMetadata } from '../../../core/events/event.js';
import { describeError } from '../../../core/values/describe-error.js';
import { withTimeLimit } from '../../../core/values/time-limit.js';
import type { LaneCommand } from '../../shared/command-lane.js';
import { commandHashOf } from './command-identity.js';
import { wasInterrupted, type Run } from './interruptible.js';
import type { PendingCommand } from './pending-command.js';

// What holds for deciding any command: one to an aggregate, or one of a decision.

/** Most characters of event ids and types in an outcome: the outcomes of a whole batch have to travel together. */
const maxNamesLength = 32_000;
/** Characters of an event's id, as JSON. */
const idLength = 39;

/** Milliseconds of computing without a pause that cause a warning. */
const longestPause = 1_000;

/** Measures how long code blocks before it returns. */
export function timed<T>(run: Run, call: () => T): { readonly returned: T; readonly blockedFor: number } {
  const began = performance.now();
  const returned = run(call);
  return { returned, blockedFor: performance.now() - began };
}

/** Whether code blocked the process for so long that operators should know. */
export function isLong(blockedFor: number): boolean {
  return blockedFor > longestPause;
}

/**
 * Waits for a decision within a time limit. A later result is never appended, so the failure is certain.
 *
 * @param onLate makes what is then thrown
 */
export function within<T>(
  timeLimit: number | undefined,
  { name }: LaneCommand,
  deciding: Promise<T>,
  onLate: (error: CommandFailedError) => Error = (error) => error,
): Promise<T> {
  if (timeLimit === undefined) return deciding;
  return withTimeLimit(timeLimit, deciding, () => {
    const message = `Deciding the command '${name}' took longer than ${timeLimit} ms. Nothing was stored; it is not tried again.`;
    throw onLate(new CommandFailedError(message));
  });
}

/** The metadata of a command's events. */
export function metadataOf({ category, command, metadata }: PendingCommand): EventMetadata {
  return {
    ...command.metadata,
    ...metadata,
    causationId: command.causationId ?? command.commandId,
    commandHash: commandHashOf(category, command),
  };
}

/** Keeps an error of this library; any other is a defect of the deciding code. */
export function toRefusal(command: LaneCommand, error: unknown): EventStoreError {
  if (wasInterrupted(error)) return heldUp(command, error);
  const ours = findEventStoreError(error);
  if (ours !== undefined) return ours;
  return new CommandFailedError(
    `Deciding the command '${command.name}' failed with ${describeError(error)}. Nothing was stored; it is not tried again.`,
    { cause: error },
  );
}

/** The outcome is unknown: the worker that the command held up before may yet finish and store it. */
function heldUp({ id, name, commandId }: LaneCommand, error: unknown): CommandOutcomeUnknownError {
  return new CommandOutcomeUnknownError(
    `The command '${name}' to '${id}' holds workers up, and is not tried again: ${describeError(error)}. One worker may still be at it. ` +
      `Correct the code, restart the worker that answers no more, and ask again with the command id '${commandId}'.`,
    { commandId, cause: error },
  );
}

/** Finds a command with too many events: their ids and types travel in the outcome. */
export function findTooLarge(
  command: LaneCommand,
  events: readonly { readonly type: unknown }[],
): EventTooLargeError | undefined {
  const size = events.reduce((sum, { type }) => sum + idLength + String(type).length + 3, 0);
  if (size <= maxNamesLength) return undefined;
  return new EventTooLargeError(
    `The command '${command.name}' led to ${events.length} events, more than an answer can name. Make larger events, or use a repository.`,
    { size, limit: maxNamesLength },
  );
}
