import type { Append } from '../contenders/contender.js';

/** What a contender acknowledged, kept outside of it. */
export class Ledger {
  readonly #refs: number[] = [];
  readonly #repeatedRefs: number[] = [];
  readonly #accepted: string[] = [];

  acknowledge({ streamId, expectedVersion, events }: Append): void {
    for (const { data } of events) this.#refs.push(data.ref);
    this.#accepted.push(`${streamId}/${expectedVersion}`);
  }

  /** An append that was sent more than once. */
  repeated({ events }: Append): void {
    for (const { data } of events) this.#repeatedRefs.push(data.ref);
  }

  get refs(): readonly number[] {
    return this.#refs;
  }

  get repeatedRefs(): readonly number[] {
    return this.#repeatedRefs;
  }

  /** How many appends were accepted with an expected version that another was accepted with before. */
  countAcceptedTwice(): number {
    return this.#accepted.length - new Set(this.#accepted).size;
  }
}
