import { setTimeout } from 'node:timers/promises';
import type { EventStore } from 'temporal-event-store';
import { cachingEventStore } from 'temporal-event-store/cache';
import type { ProjectionClient } from 'temporal-event-store/client';
import { formatMoney } from '../domain/money.js';
import type { PaymentDetails } from '../domain/payment-event.js';
import { PaymentReader } from '../read-models/payment-reader.js';
import type { Stage } from './stage.js';

/** From events to tables, by projections of the worker; and a cache of events beside them. */
export async function readModels(stage: Stage): Promise<void> {
  const { store, payments, payment, projections, title, say } = stage;
  const { client } = stage.readModels;
  const reader = new PaymentReader({ store, client, projections });

  title(
    'A12, A14  Projections of the worker make tables of the events; a query waits for what was written just before',
  );
  const details = (minorUnits: number): PaymentDetails => ({
    organizationId: 'org-read',
    amount: { minorUnits, currency: 'EUR' },
    description: 'Six glasses',
  });
  const [whole, broken] = [`${payment(1)}-whole`, `${payment(1)}-broken`] as const;
  await payments.execute(whole, 'process', details(20_000));
  await payments.execute(whole, 'complete');
  await payments.execute(broken, 'process', details(30_000));
  const amount = { minorUnits: 5_000, currency: 'EUR' };
  await payments.execute(broken, 'refund', { amount, reason: 'one of six was broken' });
  for (const status of ['processed', 'completed'] as const) {
    const { payments: found } = await reader.payments({ status });
    say(`  ${status}: ${found.map(({ id }) => id).join(', ')}`);
  }
  const { payments: ofOrganization } = await reader.payments({ organizationId: 'org-read' });
  for (const { id, status, amount: paid, refunded } of ofOrganization) {
    const back = formatMoney({ ...paid, minorUnits: refunded });
    say(`  org-read: ${id}, ${status}, ${formatMoney(paid)}, of which ${back} went back`);
  }
  const today = new Date().toISOString().slice(0, 10);
  for (const { day, currency, count, captured, refunded } of await reader.totals({ from: today })) {
    const money = (minorUnits: string): string => formatMoney({ minorUnits: Number(minorUnits), currency });
    say(`  ${day}: ${count} in ${currency}, ${money(captured)} captured, ${money(refunded)} refunded`);
  }

  title('A12, A14  The read model is built anew from the log, while the old one serves');
  await projections.rebuild('payments');
  await rebuilt(projections);
  say(`  ${await reader.count()} payments, as before`);

  title('A13  A cache of events that is never stale');
  const cached = cachingEventStore(
    told(store, (events) => {
      say(`    the store gave ${events} ${events === 1 ? 'event' : 'events'}`);
    }),
    { ttl: 300_000 },
  );
  const read = async (): Promise<void> => {
    const { version } = await cached.readStream(`Payment-${broken}`);
    say(`  ${broken} is at version ${version}`);
  };
  await read();
  say('  Again: only the last event is asked for, to see whether the rest still holds.');
  await read();
  say('  The worker appends to it, behind the back of the cache.');
  await payments.execute(broken, 'complete');
  await read();

  title('A17  What an event says');
  const { events } = await cached.readStream(`Payment-${broken}`, { limit: 1 });
  for (const { id, type, streamId, version, occurredAt, metadata } of events) {
    say(`  ${JSON.stringify({ id, type, streamId, version, occurredAt, metadata })}`);
  }
}

/** Waits until the new read model is the live one. */
async function rebuilt(projections: ProjectionClient): Promise<void> {
  for (;;) {
    const { rebuild } = await projections.status('payments');
    if (rebuild === undefined) return;
    if (rebuild.phase === 'failed') throw new Error(rebuild.error);
    await setTimeout(100);
  }
}

/** A store that tells how many events each read of a stream takes from it. */
function told(store: EventStore, tell: (events: number) => void): EventStore {
  return {
    appendToStream: (...append) => store.appendToStream(...append),
    readAll: (...read) => store.readAll(...read),
    findCommit: (...find) => store.findCommit(...find),
    readStream: async (...read) => {
      const slice = await store.readStream(...read);
      tell(slice.events.length);
      return slice;
    },
  };
}
