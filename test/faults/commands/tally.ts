import type { Answer } from './journal-lines.js';

/** What has happened in a run so far. */
export class Tally {
  /** Of the callers; that nobody knows the outcome is an answer, too. */
  answers = 0;
  foreignAppends = 0;
  foreignConflicts = 0;
  /** Of the worker. */
  appends = 0;
  /** Appends of the worker by the code of their error. */
  readonly appendErrors = new Map<string, number>();
  /** Failed reads of the worker by the code of their error. */
  readonly readErrors = new Map<string, number>();
  /** Ends of the worker by who ended it. */
  readonly workerDeaths = new Map<string, number>();
  readonly unexpected: string[] = [];
  /** Milliseconds in which commands waited and none got its outcome. */
  longestStall = 0;
  unknownOutcomes = 0;
  #lastOutcomeAt = 0;

  get deaths(): number {
    return [...this.workerDeaths.values()].reduce((sum, deaths) => sum + deaths, 0);
  }

  /** Commands wait from now on. */
  onWait(): void {
    this.#lastOutcomeAt = performance.now();
  }

  onAnswer({ kind }: Answer): void {
    this.answers++;
    if (kind === 'unknown') {
      this.unknownOutcomes++;
      return;
    }
    const now = performance.now();
    this.longestStall = Math.max(this.longestStall, now - this.#lastOutcomeAt);
    this.#lastOutcomeAt = now;
  }

  onAppend(error: string | undefined): void {
    this.appends++;
    if (error !== undefined) count(this.appendErrors, error);
  }

  onFailedRead(error: string): void {
    count(this.readErrors, error);
  }

  onDeath(how: string): void {
    count(this.workerDeaths, how);
  }
}

function count(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}
