import { sleep } from '@temporalio/workflow';
import { CommandOutcomeUnknownError } from '../../core/errors/command-errors.js';
import { pauseAfter, type Backoff } from '../../core/values/backoff.js';
import { maxSearch, type CommandOutcome, type LaneCommand } from '../shared/command-lane.js';
import { fromErrorMessage, toErrorMessage } from '../shared/error-message.js';
import type { LaneActivities } from './lane-activities.js';
import type { Suspects } from './lane-suspects.js';
import type { WaitingCommand, WaitingList } from './lane-waiting-list.js';

/** Pauses before open commands are offered to a worker again. */
const backoff: Backoff = { first: 100, longest: 2_000 };

/** Why a command has no outcome yet. */
export type OpenReason = Extract<CommandOutcome, { readonly kind: 'open' }>['reason'];

/**
 * The commands of a lane that have left its batches. Those of one aggregate go on by themselves, in order, while the
 * lane goes on with the others.
 */
export class ApartCommands {
  readonly #waiting: WaitingList;
  readonly #activities: LaneActivities;
  readonly #suspects: Suspects;
  readonly #isDraining: () => boolean;

  /** @param isDraining whether this run is ending, so that open commands are left to the next run */
  constructor(
    waiting: WaitingList,
    activities: LaneActivities,
    suspects: Suspects,
    isDraining: () => boolean,
  ) {
    this.#waiting = waiting;
    this.#activities = activities;
    this.#suspects = suspects;
    this.#isDraining = isDraining;
  }

  /**
   * Executes the commands of one aggregate until all have their outcomes.
   *
   * @param reason why the batch left them open
   */
  async goOn(id: string, entries: readonly WaitingCommand[], reason: OpenReason): Promise<void> {
    this.#waiting.setApart(id);
    let left = entries;
    let unknownSince: number | undefined;
    for (let attempt = 0; left.length > 0; attempt++) {
      // A worker that doesn't know the commands pauses by itself before it gives them back.
      if (attempt > 0 && reason !== 'unknown') await sleep(pauseAfter(attempt, backoff));
      unknownSince = reason === 'unknown' ? (unknownSince ?? Date.now()) : undefined;
      const givesBack = unknownSince === undefined || Date.now() - unknownSince < maxSearch;
      const outcomes = await this.#execute(left, givesBack);
      reason = reasonOf(outcomes);
      left = this.#waiting.settle(left, outcomes, this.#isDraining()).get(id) ?? [];
    }
    this.#waiting.bringBack(id);
  }

  /**
   * Executes commands of several aggregates, one of which may have held a worker up. Commands left open then go on
   * by themselves.
   */
  async probe(entries: readonly WaitingCommand[]): Promise<void> {
    const ids = new Set(entries.map(({ command }) => command.id));
    for (const id of ids) this.#waiting.setApart(id);
    const outcomes = await this.#execute(entries, true);
    const left = this.#waiting.settle(entries, outcomes, this.#isDraining());
    for (const id of ids) {
      const rest = left.get(id);
      if (rest === undefined) this.#waiting.bringBack(id);
      else void this.goOn(id, rest, reasonOf(rest.map((entry) => outcomes[entries.indexOf(entry)])));
    }
  }

  /** Sets aggregates apart for a while because the store gave no answer for them. */
  async waitForStore(ids: readonly string[], openSince: number): Promise<void> {
    for (const id of ids) this.#waiting.setApart(id);
    await sleep(Math.min(2_000, Math.max(50, Date.now() - openSince)));
    for (const id of ids) this.#waiting.bringBack(id);
  }

  /** Has the commands decided, except those over which enough workers were lost. */
  async #execute(entries: readonly WaitingCommand[], givesBack: boolean): Promise<readonly CommandOutcome[]> {
    const commands = entries.map(({ command }) => command);
    const refused = commands.filter((command) => this.#suspects.isRefused(command));
    const outcomes = new Map<LaneCommand, CommandOutcome>();
    const note = (of: readonly LaneCommand[], results: readonly CommandOutcome[]): void => {
      for (const [index, command] of of.entries()) outcomes.set(command, results[index] as CommandOutcome);
    };
    for (const command of refused) note([command], await this.#refuse(command));
    const tried = commands.filter((command) => !outcomes.has(command));
    if (tried.length > 0) {
      const isSuspect = tried.some((command) => this.#suspects.has(command));
      const reply = await this.#activities.executeApart(tried, { givesBack, isSuspect });
      note(tried, reply.outcomes);
      if (reply.lostOver !== undefined) this.#suspects.onLost(reply.lostOver);
      else if (reply.isLost) for (const command of tried) this.#suspects.onDoubt(command, isSuspect);
      for (const command of tried) {
        const outcome = outcomes.get(command);
        if (isUnknown(outcome)) this.#suspects.onHeldUp(command);
        else if (outcome?.kind !== 'open') this.#suspects.onOutcome(command);
      }
    }
    return commands.map((command) => outcomes.get(command) as CommandOutcome);
  }

  async #refuse(command: LaneCommand): Promise<readonly CommandOutcome[]> {
    const { id, commandId, name } = command;
    const error = new CommandOutcomeUnknownError(
      `Workers stopped answering while they decided the command '${name}' to '${id}', or others to it: it never ends, or takes the ` +
        `process down. No worker gets it in the next 5 minutes. Correct the code, restart the workers that answer no more, and ask ` +
        `again with the command id '${commandId}'.`,
      { commandId },
    );
    return this.#activities.refuse(command, toErrorMessage(error));
  }
}

/** Whether a worker gave up a command that held it up. */
function isUnknown(outcome: CommandOutcome | undefined): boolean {
  return outcome?.kind === 'failed' && fromErrorMessage(outcome.error).code === 'COMMAND_OUTCOME_UNKNOWN';
}

/** Why the first open command is open. */
export function reasonOf(outcomes: readonly (CommandOutcome | undefined)[]): OpenReason {
  const open = outcomes.find((outcome) => outcome?.kind === 'open');
  return open?.kind === 'open' ? open.reason : 'deciding';
}
