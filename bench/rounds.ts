/**
 * Measures all subjects in each round, one after the other, so that whatever the machine does meanwhile happens to all of
 * them. Each round starts with another one. What comes first, to warm up, isn't counted.
 *
 * @returns the values of each subject, one for each round
 */
export async function alternate<S>(
  subjects: readonly S[],
  rounds: number,
  measure: (subject: S, round: number) => Promise<number>,
  warmUp: (subject: S) => Promise<unknown> = (subject) => measure(subject, -1),
): Promise<Map<S, number[]>> {
  const values = new Map(subjects.map((subject) => [subject, [] as number[]]));
  for (const subject of subjects) await warmUp(subject);
  for (let round = 0; round < rounds; round++) {
    const first = round % subjects.length;
    for (const subject of [...subjects.slice(first), ...subjects.slice(0, first)]) {
      values.get(subject)!.push(await measure(subject, round));
    }
  }
  return values;
}

/** How long it takes, in seconds. */
export async function time(run: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await run();
  return (performance.now() - start) / 1000;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** The least value that so many per cent of all don't exceed. */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)]!;
}

/** How one subject compares with another. */
export interface Ratio {
  /** Of the medians: what counts. */
  readonly ofMedians: number;
  /** Of the rounds: how sure it is. */
  readonly least: number;
  readonly most: number;
}

export function ratioOf(values: readonly number[], to: readonly number[]): Ratio {
  const rounds = values.map((value, round) => value / to[round]!);
  return { ofMedians: median(values) / median(to), least: Math.min(...rounds), most: Math.max(...rounds) };
}
