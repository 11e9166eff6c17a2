import type { CaseFigures } from '../../../examples/event-log/case-figures.js';
import { openEventLog } from '../../../examples/event-log/log-reader.js';

/** What the read model of a log has to say, straight from its file. */
export async function figuresOf(file: string): Promise<CaseFigures> {
  const cases = new Map<string, { times: number[]; last: string }>();
  const counts = new Map<string, number>();
  let events = 0;
  for await (const { caseId, activity, occurredAt } of openEventLog(file).entries) {
    events++;
    const known = cases.get(caseId);
    if (known !== undefined) {
      const transition = JSON.stringify([known.last, activity]);
      counts.set(transition, (counts.get(transition) ?? 0) + 1);
    }
    cases.set(caseId, { times: (known?.times ?? []).concat(Date.parse(occurredAt)), last: activity });
  }

  const months = new Map<string, number>();
  for (const { times } of cases.values()) {
    const month = new Date(Math.min(...times)).toISOString().slice(0, 7);
    months.set(month, (months.get(month) ?? 0) + 1);
  }
  const seconds = Array.from(
    cases.values(),
    ({ times }) => (Math.max(...times) - Math.min(...times)) / 1_000,
  );
  seconds.sort((a, b) => a - b);
  return {
    cases: cases.size,
    events,
    months: [...months].sort().map(([month, count]) => ({ month, cases: count })),
    throughput: {
      median: quantile(seconds, 0.5),
      p90: quantile(seconds, 0.9),
      longest: seconds.at(-1) ?? 0,
    },
    transitions: Array.from(counts, ([transition, count]) => {
      const [activity, next] = JSON.parse(transition) as [string, string];
      return { activity, next, count };
    }),
  };
}

/** Between two values, as far from the one as from the other as the place says. */
function quantile(sorted: readonly number[], part: number): number {
  const place = part * (sorted.length - 1);
  const [lower = 0, upper = 0] = [sorted[Math.floor(place)], sorted[Math.ceil(place)]];
  return lower + (upper - lower) * (place % 1);
}

/** In an order that doesn't depend on how names are sorted. */
export function comparable({ transitions, throughput, ...figures }: CaseFigures): unknown {
  const round = (seconds: number) => Math.round(seconds * 1_000);
  return {
    ...figures,
    throughput: Object.values(throughput).map(round),
    transitions: Object.fromEntries(
      transitions.map(({ activity, next, count }) => [`${activity} → ${next}`, count]),
    ),
  };
}
