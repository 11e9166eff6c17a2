import { iterateAll, parseStreamId, type EventStore } from 'temporal-event-store';
import { formatMoney } from '../payment/domain/money.js';
import type { Cents, Irregularity } from './fine-event.js';
import type { Totals } from './totals.js';

/** The totals as a table, the years in order. */
export function formatTotals(totals: Totals): string {
  const rows = Object.entries(totals)
    .sort(([yearA], [yearB]) => (yearA < yearB ? -1 : 1))
    .map(([year, { fines, fined, payments, paid }]) => [
      year,
      fines.toLocaleString('en'),
      euros(fined),
      payments.toLocaleString('en'),
      euros(paid),
    ]);
  const table = [['Year', 'Fines', 'Amount', 'Payments', 'Amount'], ...rows];
  const widths = [0, 1, 2, 3, 4].map((column) => Math.max(...table.map((row) => row[column]?.length ?? 0)));
  return table
    .map((row) => `  ${row.map((cell, column) => cell.padStart(widths[column] ?? 0)).join('  ')}`)
    .join('\n');
}

/** What the log says and the rules forbid: how many, and the first of them. */
export async function describeIrregularities(store: EventStore, tag: string, show = 5): Promise<string> {
  const lines: string[] = [];
  let count = 0;
  const filter = { tags: [tag], types: ['IrregularityRecorded'] };
  for await (const { streamId, data } of iterateAll(store, { filter })) {
    const { on, command, rule } = data as Irregularity;
    if (++count <= show) lines.push(`  ${on}  ${parseStreamId(streamId).id}  ${command}: ${rule}`);
  }
  const title = `Against the rules, and recorded as such: ${count.toLocaleString('en')}`;
  return [title, ...lines, ...(count > show ? ['  …'] : [])].join('\n');
}

function euros(amount: Cents): string {
  return formatMoney({ minorUnits: amount, currency: 'EUR' });
}
