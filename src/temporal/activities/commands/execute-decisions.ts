import { checkCommand, type CommandTarget } from '../../../core/aggregates/commands.js';
import type { DomainCommand } from '../../../core/aggregates/decider.js';
import { executeDecision } from '../../../core/decisions/execute-decision.js';
import { findEventStoreError } from '../../../core/errors/error-recognition.js';
import type { EventStoreError } from '../../../core/errors/event-store-error.js';
import { StoreUnavailableError } from '../../../core/errors/store-errors.js';
import type { EventStore } from '../../../core/store/event-store.js';
import type { CommandOutcome, LaneCommand } from '../../shared/command-lane.js';
import type { AnyDecision } from './aggregate-registry.js';
import { metadataOf, toRefusal, within } from './deciding.js';
import { endOf, maxFutileRounds } from './execute-on-stream.js';
import { findStored } from './find-stored.js';
import { guardedDecision, type DecisionGuard } from './guarded-decision.js';
import {
  committedOutcome,
  concernsStore,
  failure,
  isOpen,
  unanswered,
  unchangedOutcome,
  unknownHere,
} from './outcomes.js';
import type { PendingCommand } from './pending-command.js';

/** Where the commands of one key of a decision are executed. */
export interface DecisionContext extends Omit<DecisionGuard, 'onRefusal'> {
  readonly store: EventStore;
  readonly decision: AnyDecision;
  readonly target: CommandTarget;
  /** The error for a command that this worker doesn't know; undefined if it does. */
  findUnknown(command: LaneCommand): EventStoreError | undefined;
  onConflict(): void;
  /** Called with an error that operators should know; `staysOpen` if the command may yet go through. */
  onFailure(error: unknown, command: LaneCommand, staysOpen: boolean): void;
}

/**
 * Executes commands of a decision that depend on the same events, one after the other: side by side, all but one would be
 * decided in vain. Others append such events, too, so it is the condition of each append that keeps the rule.
 *
 * Behind a command that stays open, those after it stay open, too: they may depend on it.
 *
 * @param batch each command gets its outcome as soon as that is known
 */
export async function executeDecisions(
  context: DecisionContext,
  batch: readonly PendingCommand[],
): Promise<void> {
  let open: CommandOutcome | undefined;
  for (const pending of batch) {
    const outcome = open ?? (await outcomeOf(context, pending));
    if (outcome.kind === 'open') open = outcome;
    pending.settle(outcome);
  }
}

async function outcomeOf(context: DecisionContext, pending: PendingCommand): Promise<CommandOutcome> {
  const { command } = pending;
  const unknown = context.findUnknown(command);
  if (unknown !== undefined) return unknownHere(unknown);
  let payload: unknown;
  try {
    payload = await within(pending.timeLimit, command, checked(context, command));
  } catch (error) {
    return storedOr(context, pending, toRefusal(command, error));
  }
  return decide(context, pending, { type: command.name, data: payload });
}

async function checked({ target }: DecisionContext, { name, payload }: LaneCommand): Promise<unknown> {
  return checkCommand(target, name, payload);
}

async function decide(
  context: DecisionContext,
  pending: PendingCommand,
  domainCommand: DomainCommand,
): Promise<CommandOutcome> {
  const { store, decision, run, onBlocked } = context;
  const { command } = pending;
  let refusal: EventStoreError | undefined;
  try {
    const guarded = guardedDecision(decision, pending, {
      run,
      onBlocked,
      onRefusal: (error) => {
        refusal = error;
      },
    });
    const { home, execution } = await executeDecision(store, guarded, domainCommand, {
      commandId: command.commandId,
      metadata: metadataOf(pending),
      maxAttempts: maxFutileRounds,
      onConflict: () => {
        context.onConflict();
      },
    });
    if (execution.kind === 'deduplicated') return await storedOr(context, pending, notFound(command));
    const { parts, result } = execution;
    if (parts.length > 0) return committedOutcome(result.events, parts, false);
    return unchangedOutcome((await endOf(store, home)).version, result.settled.position);
  } catch (error) {
    // Whether it is stored was looked up before it was thrown.
    if (refusal !== undefined && error === refusal) return failure(refusal);
    const ours = findEventStoreError(error);
    const staysOpen = isOpen(error);
    if (isNews(ours)) context.onFailure(error, command, staysOpen);
    return staysOpen ? unanswered(error) : storedOr(context, pending, toRefusal(command, error));
  }
}

/** The outcome of an earlier run of the command, if there was one. */
async function storedOr(
  { store }: DecisionContext,
  { category, command }: PendingCommand,
  error: EventStoreError,
): Promise<CommandOutcome> {
  try {
    return (
      (await findStored(store, category, command)) ?? (isOpen(error) ? unanswered(error) : failure(error))
    );
  } catch (lookupError) {
    return unanswered(lookupError);
  }
}

/** A store that shows late what it has stored. */
function notFound({ name, commandId }: LaneCommand): StoreUnavailableError {
  return new StoreUnavailableError(
    `The command '${name}' is stored with the id '${commandId}', but the store doesn't show it yet.`,
  );
}

/** Whether an error says something about the decision or the store, and not only about one command. */
function isNews(error: EventStoreError | undefined): boolean {
  return (
    error === undefined ||
    concernsStore(error) ||
    error.code === 'COMMAND_FAILED' ||
    error.code === 'APPEND_CONDITION_FAILED'
  );
}
