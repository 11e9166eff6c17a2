import { hashCommand } from '../../../core/aggregates/command-hash.js';
import { CommandFailedError, CommandOutcomeUnknownError } from '../../../core/errors/command-errors.js';
import { findEventStoreError } from '../../../core/errors/error-recognition.js';
import { EventTooLargeError } from '../../../core/errors/event-errors.js';
import type { EventStoreError } from '../../../core/errors/event-store-error.js';
import type { EventMetadata } from '../../../core/events/event.js';
import type { Commit } from '../../../core/store/append/commit-chain.js';
import type { StreamAppend } from '../../../core/store/append/multi-stream-appends.js';
import { describeError } from '../../../core/values/describe-error.js';
import { withTimeLimit } from '../../../core/values/time-limit.js';
import type { LaneCommand } from '../../shared/command-lane.js';
import { DirtyStateError, type AggregateModel } from './aggregate-model.js';
import { wasInterrupted } from './interruptible.js';
import type { PendingCommand } from './pending-command.js';

/** Most characters of event ids and types in an outcome: the outcomes of a whole batch have to travel together. */
const maxNamesLength = 32_000;
/** Characters of an event's id, as JSON. */
const idLength = 39;

/** What a command led to, before it is stored. */
export interface DecidedCommit {
  readonly pending: PendingCommand;
  readonly kind: 'commit';
  /** The part of the aggregate's own stream. */
  readonly commit: Commit;
  readonly others: readonly StreamAppend[];
}

/** The result of a command before it is stored. */
export type DecidedCommand =
  | DecidedCommit
  /** The command led to no events. */
  | { readonly pending: PendingCommand; readonly kind: 'nothing'; readonly version: number }
  | { readonly pending: PendingCommand; readonly kind: 'refusal'; readonly error: EventStoreError };

/** Milliseconds after which the commands decided so far are appended, so that they are answered before the rest is decided. */
const longestRound = 250;
/** Milliseconds of computing without a pause that cause a warning. */
const longestPause = 1_000;

export interface Decisions<S> {
  /** In the order of the commands, up to one that spoilt the state or goes to other streams, too, or as far as there was time. */
  readonly decisions: readonly DecidedCommand[];
  /** The state after the decisions. */
  readonly state: S;
  /** Whether the state no longer follows from the events. */
  readonly isSpoilt: boolean;
}

/**
 * Decides each command on the state that those before it left.
 *
 * @param onBlocked called with a command that blocked the process for more than a second
 */
export async function decideCommands<S>(
  model: AggregateModel<S>,
  { state, version }: { readonly state: S; readonly version: number },
  batch: readonly PendingCommand[],
  onBlocked: (command: LaneCommand, milliseconds: number) => void,
): Promise<Decisions<S>> {
  const decisions: DecidedCommand[] = [];
  const began = performance.now();
  for (const pending of batch) {
    const { command } = pending;
    if (decisions.length > 0 && performance.now() - began > longestRound) break;
    try {
      const decided = await within(
        pending.timeLimit,
        command,
        model.decide(state, command.name, command.payload),
      );
      const { events, others } = decided;
      if (decided.blockedFor > longestPause) onBlocked(command, Math.round(decided.blockedFor));
      const tooLarge = findTooLarge(command, [...events, ...others.flatMap((append) => append.events)]);
      if (tooLarge !== undefined) throw model.isImmutable ? tooLarge : new DirtyStateError(tooLarge);
      state = decided.state;
      version += events.length;
      decisions.push(
        events.length === 0
          ? { pending, kind: 'nothing', version }
          : {
              pending,
              kind: 'commit',
              commit: { commitId: command.commandId, events, metadata: metadataOf(pending) },
              others,
            },
      );
      // Commits to several streams can't be chained.
      if (decided.isOutdated || others.length > 0) return { decisions, state, isSpoilt: decided.isOutdated };
    } catch (error) {
      const isSpoilt = error instanceof DirtyStateError;
      decisions.push({ pending, kind: 'refusal', error: toRefusal(command, isSpoilt ? error.cause : error) });
      if (isSpoilt) return { decisions, state, isSpoilt };
    }
  }
  return { decisions, state, isSpoilt: false };
}

/**
 * Waits for a decision within a time limit. A later result is never appended, so the failure is certain; the state,
 * which the code may still change, is no longer used.
 */
function within<T>(timeLimit: number | undefined, { name }: LaneCommand, deciding: Promise<T>): Promise<T> {
  if (timeLimit === undefined) return deciding;
  return withTimeLimit(timeLimit, deciding, () => {
    const message = `Deciding the command '${name}' took longer than ${timeLimit} ms. Nothing was stored; it is not tried again.`;
    throw new DirtyStateError(new CommandFailedError(message));
  });
}

/** Tells a command that is sent again from another with its id, as `createCommandHandler` does. */
export function commandHashOf({ name, payload }: LaneCommand): string | undefined {
  return hashCommand({ type: name, data: payload });
}

function metadataOf({ command, metadata }: PendingCommand): EventMetadata {
  return {
    ...command.metadata,
    ...metadata,
    causationId: command.causationId ?? command.commandId,
    commandHash: commandHashOf(command),
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
function findTooLarge(
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
