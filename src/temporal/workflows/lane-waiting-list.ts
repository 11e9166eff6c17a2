import { StoreUnavailableError } from '../../core/errors/store-errors.js';
import type { CommandOutcome, LaneCommand } from '../shared/command-lane.js';
import { toErrorMessage } from '../shared/error-message.js';
import { takeFairly } from '../shared/take-fairly.js';

/** Most commands in one batch, from all the updates that wait. */
const maxBatch = 500;
const maxBatchCharacters = 1_000_000;

/**
 * Milliseconds without an outcome after which the client is told that the command is open. It sends it again while
 * a caller waits.
 */
const giveUpAfter = 15_000;

/** A command that waits for its outcome. */
export interface WaitingCommand {
  readonly command: LaneCommand;
  /** The updates that wait for it: a command that was sent again joins the first. */
  askers: { readonly update: WaitingUpdate; readonly index: number }[];
  /** When it was first found open, in milliseconds since 1970. */
  openSince?: number;
}

/** An update that waits for the outcomes of its commands. */
export interface WaitingUpdate {
  readonly outcomes: CommandOutcome[];
  /** Commands without an outcome. */
  left: number;
  readonly isPatient: boolean;
}

/** The commands of a lane that wait for their outcomes, in order, and the updates that asked for them. */
export class WaitingList {
  /** By aggregate and command. */
  readonly #waiting = new Map<string, WaitingCommand>();
  /** Aggregates whose commands are under way by themselves. */
  readonly #apart = new Set<string>();
  #settled = 0;

  get size(): number {
    return this.#waiting.size;
  }

  /** Commands that have got their outcomes. */
  get settled(): number {
    return this.#settled;
  }

  /** Whether a batch can be taken. */
  get isReady(): boolean {
    for (const { command } of this.#waiting.values()) if (!this.#apart.has(command.id)) return true;
    return false;
  }

  /** Aggregates with a ready command that fits. */
  idsOf(fits: (command: LaneCommand) => boolean): ReadonlySet<string> {
    return new Set(
      this.#ready()
        .filter(({ command }) => fits(command))
        .map(({ command }) => command.id),
    );
  }

  add(commands: readonly LaneCommand[], isPatient: boolean): WaitingUpdate {
    const update: WaitingUpdate = { outcomes: [], left: commands.length, isPatient };
    for (const [index, command] of commands.entries()) {
      const key = keyOf(command);
      const entry = this.#waiting.get(key) ?? { command, askers: [] };
      entry.askers.push({ update, index });
      this.#waiting.set(key, entry);
      if (this.#apart.has(command.id)) answer(entry, behindOthers(command), isImpatient);
    }
    return update;
  }

  /**
   * The next commands of the aggregates that aren't under way by themselves, in fair turns.
   *
   * @param isWanted limits the batch to some aggregates
   */
  takeBatch(isWanted: (id: string) => boolean = () => true): readonly WaitingCommand[] {
    const ready = this.#ready().filter(({ command }) => isWanted(command.id));
    let [count, characters] = [0, 0];
    return takeFairly(
      ready,
      ({ command }) => command.id,
      ({ command }) => {
        characters += JSON.stringify(command).length;
        count++;
        return count === 1 || (count <= maxBatch && characters <= maxBatchCharacters);
      },
    );
  }

  /**
   * Answers with the known outcomes, and with `open` for the rest to updates that don't wait for it.
   *
   * @param isEnding whether this run is ending; the rest is then answered `open`, too
   * @returns the rest, by aggregate
   */
  settle(
    entries: readonly WaitingCommand[],
    outcomes: readonly CommandOutcome[],
    isEnding: boolean,
  ): ReadonlyMap<string, readonly WaitingCommand[]> {
    const left = new Map<string, WaitingCommand[]>();
    for (const [index, entry] of entries.entries()) {
      const outcome = outcomes[index] as CommandOutcome;
      if (outcome.kind === 'open') {
        entry.openSince ??= Date.now();
        if (!isEnding && Date.now() - entry.openSince < giveUpAfter) {
          answer(entry, outcome, isImpatient);
          const { id } = entry.command;
          left.set(id, [...(left.get(id) ?? []), entry]);
          continue;
        }
      }
      answer(entry, outcome, () => true);
      this.#waiting.delete(keyOf(entry.command));
      this.#settled++;
    }
    return left;
  }

  /** Takes the commands of an aggregate out of the batches. */
  setApart(id: string): void {
    this.#apart.add(id);
    for (const entry of this.#waiting.values()) {
      if (entry.command.id === id) answer(entry, behindOthers(entry.command), isImpatient);
    }
  }

  /** Whether the commands of an aggregate are under way by themselves. */
  isApart(id: string): boolean {
    return this.#apart.has(id);
  }

  bringBack(id: string): void {
    this.#apart.delete(id);
  }

  #ready(): WaitingCommand[] {
    return Array.from(this.#waiting.values()).filter(({ command }) => !this.#apart.has(command.id));
  }
}

function answer(
  waiting: WaitingCommand,
  outcome: CommandOutcome,
  isAnswered: (update: WaitingUpdate) => boolean,
): void {
  const left: typeof waiting.askers = [];
  for (const asker of waiting.askers) {
    const { update, index } = asker;
    if (!isAnswered(update)) {
      left.push(asker);
      continue;
    }
    update.outcomes[index] = outcome;
    update.left--;
  }
  waiting.askers = left;
}

function isImpatient({ isPatient }: WaitingUpdate): boolean {
  return !isPatient;
}

/** The outcome of a command so far, while others of its aggregate are under way by themselves. */
function behindOthers({ id, name }: LaneCommand): CommandOutcome {
  const error = new StoreUnavailableError(`The command '${name}' waits for those to '${id}' before it.`);
  return { kind: 'open', reason: 'deciding', error: toErrorMessage(error) };
}

/** Commands with the same key are one command, sent again. */
function keyOf({ id, commandId, name, payload }: LaneCommand): string {
  return JSON.stringify([id, commandId, name, payload]);
}
