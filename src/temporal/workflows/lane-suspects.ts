import type { CommandReference, Suspect } from '../shared/command-lane.js';

/** Losses certainly caused by a command after which no worker gets it. The very first loss can't be blamed on one command. */
const maxLosses = 2;
/** Milliseconds after the last loss until the aggregate is tried again: a release may have corrected it by then. */
const forgetAfter = 5 * 60_000;
const maxSuspects = 1_000;

/** What is known about one aggregate. */
interface Knowledge {
  readonly losses: Map<string, number>;
  readonly lostInARow: Set<string>;
  lostAt: number;
}

/**
 * The aggregates of a lane that may hold workers up for good, by a command that never ends or events that are never
 * all applied. A worker that is held up can't say so, and the next worker gets its workflow task as if it were new;
 * so the clients notice it.
 */
export class Suspects {
  readonly #byId = new Map<string, Knowledge>();

  /** @param earlier what the run before knew */
  constructor(earlier: readonly Suspect[] = []) {
    for (const { id, losses, lostInARow, lostAt } of earlier) {
      this.#byId.set(id, {
        losses: new Map(Object.entries(losses)),
        lostInARow: new Set(lostInARow),
        lostAt,
      });
    }
  }

  get isEmpty(): boolean {
    return this.#byId.size === 0;
  }

  /** From now on the aggregate's commands are tried apart, until one has gone through. */
  suspect(id: string): void {
    this.#of(id);
  }

  /** Whether a command must not go together with others. */
  has({ id, commandId }: CommandReference): boolean {
    const known = this.#find(id);
    return known !== undefined && (isOpen(known) || known.losses.has(commandId));
  }

  /** A worker was lost while it decided this command and no other suspect. */
  onLost({ id, commandId }: CommandReference, losses = 1): void {
    const known = this.#of(id);
    known.losses.set(commandId, (known.losses.get(commandId) ?? 0) + losses);
    known.lostInARow.add(commandId);
    known.lostAt = Date.now();
  }

  /**
   * A worker that had the command was lost.
   *
   * @param hadNotBegun whether the worker would have said so if it had begun to decide it
   */
  onDoubt({ id, commandId }: CommandReference, hadNotBegun: boolean): void {
    const known = this.#of(id);
    if (!hadNotBegun) known.losses.set(commandId, (known.losses.get(commandId) ?? 0) + 1);
  }

  /** A worker gave the command up because it held the worker up. */
  onHeldUp(command: CommandReference): void {
    this.onLost(command, maxLosses);
  }

  /** The command has an outcome, so its aggregate can be loaded. */
  onOutcome({ id, commandId }: CommandReference): void {
    const known = this.#find(id);
    if (known === undefined) return;
    known.losses.delete(commandId);
    known.lostInARow.clear();
    if (known.losses.size === 0) this.#byId.delete(id);
  }

  /** Whether no worker gets the command any more. */
  isRefused({ id, commandId }: CommandReference): boolean {
    const known = this.#find(id);
    if (known === undefined) return false;
    // Two commands in a row: the aggregate itself is to blame.
    return (known.losses.get(commandId) ?? 0) >= maxLosses || known.lostInARow.size >= 2;
  }

  /** The suspects with losses, for the next run. */
  toList(): readonly Suspect[] {
    return Array.from(this.#byId.keys(), (id) => ({ id, known: this.#find(id) })).flatMap(({ id, known }) =>
      known === undefined || known.losses.size === 0
        ? []
        : [
            {
              id,
              losses: Object.fromEntries(known.losses),
              lostInARow: [...known.lostInARow],
              lostAt: known.lostAt,
            },
          ],
    );
  }

  #of(id: string): Knowledge {
    let known = this.#find(id);
    if (known === undefined) {
      known = { losses: new Map(), lostInARow: new Set(), lostAt: Date.now() };
      this.#byId.set(id, known);
      const [oldest] = this.#byId.keys();
      if (this.#byId.size > maxSuspects && oldest !== undefined) this.#byId.delete(oldest);
    }
    return known;
  }

  #find(id: string): Knowledge | undefined {
    const known = this.#byId.get(id);
    if (known === undefined || Date.now() - known.lostAt < forgetAfter) return known;
    this.#byId.delete(id);
    return undefined;
  }
}

/** Whether no command of the aggregate has gone through since it was suspected. */
function isOpen({ losses, lostInARow }: Knowledge): boolean {
  return lostInARow.size > 0 || losses.size === 0;
}
