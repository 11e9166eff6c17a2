import type { EventStoreError } from '../../../core/errors/event-store-error.js';
import type { Commit } from '../../../core/store/append/commit-chain.js';
import type { StreamAppend } from '../../../core/store/append/multi-stream-appends.js';
import type { LaneCommand } from '../../shared/command-lane.js';
import { DirtyStateError, type AggregateModel } from './aggregate-model.js';
import { findTooLarge, isLong, metadataOf, toRefusal, within } from './deciding.js';
import type { PendingCommand } from './pending-command.js';

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
        // The code may still change the state.
        (tooLate) => new DirtyStateError(tooLate),
      );
      const { events, others } = decided;
      if (isLong(decided.blockedFor)) onBlocked(command, Math.round(decided.blockedFor));
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
