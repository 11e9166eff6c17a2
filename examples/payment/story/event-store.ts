import { TemporalEventStore } from 'temporal-event-store/client';
import type { PaymentEvent } from '../domain/payment-event.js';
import type { Stage } from './stage.js';

/** The event store by its own workflows: append, which publishes before it ends, and reads. */
export async function eventStore({ client, taskQueue, bus, log, payment, title, say }: Stage): Promise<void> {
  const store = new TemporalEventStore({ client, taskQueue });
  const stream = `Payment-${payment(8)}`;
  const amount = { minorUnits: 5_000, currency: 'EUR' };

  title(
    'A1–A3, A17  Events are appended by a workflow: stored, then published to those who wait for their type',
  );
  const leave = bus.on('PaymentFailed', ({ data, version }) => {
    say(`    the handler of PaymentFailed got version ${version}: ${data.reason}`);
  });
  const logged = log.length;
  const { version } = await store.appendToStream<PaymentEvent>(
    stream,
    [
      { type: 'PaymentInitiated', data: { organizationId: 'org-789', amount, description: 'Invoice 8' } },
      { type: 'PaymentFailed', data: { reason: 'The card has expired' } },
    ],
    { expectedVersion: 'noStream', commitId: `import-${stream}` },
  );
  leave();
  say(`  ${stream} is at version ${version}`);

  title('A2, A5  They are read by stream, and by type within a time');
  for (const { id, type, occurredAt } of (await store.readStream(stream)).events) {
    say(`  ${occurredAt}  ${type}  ${id.slice(0, 8)}`);
  }
  const occurredFrom = new Date(Date.now() - 3_600_000);
  const failures = await store.readAll({ filter: { types: ['PaymentFailed'], occurredFrom } });
  say(`  ${failures.events.length} PaymentFailed in the last hour`);

  title('A4  What the activities logged of it, an object a line');
  for (const line of log.slice(logged)) say(`  ${line}`);
}
