import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TrendInterval } from 'temporal-event-store';
import { TemporalEventStore } from 'temporal-event-store/client';
import { EventAnalyticsService } from '../analytics/event-analytics-service.js';
import { drawTrendLines, drawTrendSvg } from '../analytics/trend-chart.js';
import type { Stage } from './stage.js';

const hour = 3_600_000;
const trends: readonly { readonly interval: TrendInterval; readonly back: number }[] = [
  { interval: 'hour', back: 2 * hour },
  { interval: 'day', back: 2 * 24 * hour },
  { interval: 'week', back: 14 * 24 * hour },
  { interval: 'month', back: 60 * 24 * hour },
];

/** How often payments are processed: counted by the worker's store, asked for by Temporal. */
export async function analytics({ client, taskQueue, title, say }: Stage): Promise<void> {
  const service = new EventAnalyticsService(new TemporalEventStore({ client, taskQueue }));
  const to = new Date();

  title('A10  Statistics of the last day, and trends by hour, day, week and month');
  const period = { from: new Date(to.getTime() - 24 * hour), to };
  const { eventType, total, payments, share } = await service.statistics('PaymentProcessed', period);
  say(`  ${eventType}: ${total} events of ${payments} payments, ${Math.round(share * 100)} % of all events`);
  for (const { interval, back } of trends) {
    const from = new Date(to.getTime() - back);
    const buckets = await service.trends('PaymentProcessed', { from, to }, interval);
    const chart = { title: `Payments processed per ${interval}`, interval, buckets };
    say(`  ${chart.title}`);
    for (const line of drawTrendLines(chart).split('\n')) say(`    ${line}`);
    if (interval !== 'hour') continue;
    const file = join(await mkdtemp(join(tmpdir(), 'payments-')), 'per-hour.svg');
    await writeFile(file, drawTrendSvg(chart));
    say(`    the same as a picture: ${file}`);
  }
}
