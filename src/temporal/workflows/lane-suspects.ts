import type { CommandReference, Suspect } from '../shared/command-lane.js';

/** Losses that are known to be a command's own, after which no worker gets it. The first of all is nobody's for certain. */
const maxLosses = 2;
/** Milliseconds after the last loss, when it may be tried again: by then a release may have corrected it. */
const forgetAfter = 5 * 60_000;
const maxSuspects = 1_000;

/** What is known of one aggregate. */
interface Knowledge {
  readonly losses: Map<string, number>;
  readonly lostInARow: Set<string>;
  lostAt: number;
}

/**
 * The aggregates of a lane that may hold workers up for good: a command that never ends, or events that are never through. A worker
 * that is held up can't say so, and its workflow task is given to the next as if it were new; so it is the clients who notice.
 */
export class Suspects {
  readonly #byId = new Map<string, Knowledge>();

  /** @param earlier what an earlier run knew */
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

  /** From now on its commands are tried apart, until one has gone through. */
  suspect(id: string): void {
    this.#of(id);
  }

  /** Whether a command must not go together with others. */
  has({ id, commandId }: CommandReference): boolean {
    const known = this.#find(id);
    return known !== undefined && (isOpen(known) || known.losses.has(commandId));
  }

  /** A worker was lost while it decided the command, and nothing else under suspicion. */
  onLost({ id, commandId }: CommandReference, losses = 1): void {
    const known = this.#of(id);
    known.losses.set(commandId, (known.losses.get(commandId) ?? 0) + losses);
    known.lostInARow.add(commandId);
    known.lostAt = Date.now();
  }

  /**
   * A worker was lost that had the command.
   *
   * @param hadNotBegun whether it would have said that it was deciding it
   */
  onDoubt({ id, commandId }: CommandReference, hadNotBegun: boolean): void {
    const known = this.#of(id);
    if (!hadNotBegun) known.losses.set(commandId, (known.losses.get(commandId) ?? 0) + 1);
  }

  /** A worker has found that the command would hold it up. */
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

  /** Whether no other worker gets it. */
  isRefused({ id, commandId }: CommandReference): boolean {
    const known = this.#find(id);
    if (known === undefined) return false;
    // Two commands in a row: it is the aggregate.
    return (known.losses.get(commandId) ?? 0) >= maxLosses || known.lostInARow.size >= 2;
  }

  /** For the next run: what is more than a suspicion. */
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

/** Whether none of its commands has gone through since it was suspected. */
function isOpen({ losses, lostInARow }: Knowledge): boolean {
  return lostInARow.size > 0 || losses.size === 0;
}
