import { iterateAll, type EventStatistics, type EventStore, type RecordedEvent } from 'temporal-event-store';

/** What the store knows about the events with this tag, for the terminal. */
export async function describeLog(store: EventStore & EventStatistics, tag: string): Promise<string> {
  const filter = { tags: [tag] };
  const { byType, total, streams } = await store.statistics({ filter });
  const months = await store.trends({ filter, interval: 'month' });
  const longest = await findLongestStream(store, tag);
  return [
    `Events per type (${format(total)} events in ${format(streams)} streams, ${Object.keys(byType).length} types)`,
    formatTypes(byType),
    '',
    'Events per month',
    formatBars(months.map(({ start, count }) => [start.slice(0, 7), count])),
    '',
    `Longest stream: ${longest?.streamId ?? 'none'} with ${longest?.version ?? 0} events`,
  ].join('\n');
}

/** The last event of the longest stream; the first such stream where there are several. */
export async function findLongestStream(store: EventStore, tag: string): Promise<RecordedEvent | undefined> {
  let longest: RecordedEvent | undefined;
  // The version of an event is the length of its stream so far, so one event is all that has to be kept.
  for await (const event of iterateAll(store, { filter: { tags: [tag] } })) {
    if (event.version > (longest?.version ?? 0)) longest = event;
  }
  return longest;
}

export function format(count: number): string {
  return count.toLocaleString('en');
}

/** The events of each type, most first. */
function formatTypes(byType: Readonly<Record<string, number>>): string {
  const rows = Object.entries(byType).sort(
    ([typeA, countA], [typeB, countB]) => countB - countA || (typeA < typeB ? -1 : 1),
  );
  return formatRows(rows.map(([type, count]) => [type, count, '']));
}

/** A row with a bar for each name. */
export function formatBars(counts: readonly (readonly [name: string, count: number])[], width = 50): string {
  const most = longest(counts, ([, count]) => count, 1);
  return formatRows(counts.map(([name, count]) => [name, count, bar((count / most) * width)]));
}

function formatRows(rows: readonly (readonly [name: string, count: number, bar: string])[]): string {
  const nameWidth = longest(rows, ([name]) => name.length);
  const countWidth = longest(rows, ([, count]) => format(count).length);
  return rows
    .map(([name, count, bar]) =>
      `  ${name.padEnd(nameWidth)}  ${format(count).padStart(countWidth)}  ${bar}`.trimEnd(),
    )
    .join('\n');
}

/** One by one: as arguments of a call, a hundred thousand types of events overflow the stack. */
function longest<T>(items: readonly T[], lengthOf: (item: T) => number, least = 0): number {
  return items.reduce((most, item) => Math.max(most, lengthOf(item)), least);
}

/** Drawn to an eighth of a character; what is not nothing is seen. */
function bar(length: number): string {
  const eighths = length > 0 ? Math.max(1, Math.round(length * 8)) : 0;
  return '█'.repeat(Math.floor(eighths / 8)) + ' ▏▎▍▌▋▊▉'.charAt(eighths % 8);
}
