export interface LoadFigures {
  /** Commands that were answered. */
  readonly commands: number;
  readonly perSecond: number;
  /** Milliseconds that half of the commands took at most. */
  readonly p50: number;
  readonly p99: number;
  /** Commands that were decided together, on average and at most. */
  readonly batch: number;
  readonly maxBatch: number;
}

interface Answer {
  readonly at: number;
  readonly took: number;
}

/** Counts what is answered, and how fast. All times are milliseconds of one clock. */
export class LoadMeter {
  readonly #answers: Answer[] = [];
  readonly #batches: number[] = [];
  readonly #start: number;
  #seen: { readonly answers: number; readonly batches: number; readonly at: number };

  constructor(start: number) {
    this.#start = start;
    this.#seen = { answers: 0, batches: 0, at: start };
  }

  get commands(): number {
    return this.#answers.length;
  }

  onAnswer(at: number, took: number): void {
    this.#answers.push({ at, took });
  }

  onBatches(sizes: readonly number[]): void {
    for (const size of sizes) this.#batches.push(size);
  }

  /** Since the last call. */
  live(now: number): LoadFigures {
    const { answers, batches, at } = this.#seen;
    this.#seen = { answers: this.#answers.length, batches: this.#batches.length, at: now };
    return figures(this.#answers.slice(answers), this.#batches.slice(batches), now - at);
  }

  /** Since the start, until the last answer. */
  total(): LoadFigures {
    return figures(this.#answers, this.#batches, (this.#answers.at(-1)?.at ?? this.#start) - this.#start);
  }

  /** From this moment to the next answer; undefined when none has come. */
  silenceAfter(moment: number): number | undefined {
    const next = this.#answers.find(({ at }) => at > moment);
    return next && next.at - moment;
  }
}

function figures(answers: readonly Answer[], batches: readonly number[], elapsed: number): LoadFigures {
  const times = answers.map(({ took }) => took).sort((a, b) => a - b);
  return {
    commands: answers.length,
    perSecond: answers.length === 0 ? 0 : answers.length / (elapsed / 1_000),
    p50: percentile(times, 0.5),
    p99: percentile(times, 0.99),
    batch: batches.reduce((sum, size) => sum + size, 0) / Math.max(batches.length, 1),
    maxBatch: batches.reduce((most, size) => Math.max(most, size), 0),
  };
}

/** By nearest rank. */
function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.ceil(sorted.length * share) - 1] ?? 0;
}
