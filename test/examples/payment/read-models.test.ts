import pg from 'pg';
import { iterateAll } from 'temporal-event-store';
import { cachingEventStore } from 'temporal-event-store/cache';
import { PostgresEventStore } from 'temporal-event-store/postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startPostgresServer, type PostgresServer } from '../../../dev/postgres-server.js';
import type { Money } from '../../../examples/payment/domain/money.js';
import { PaymentAggregate } from '../../../examples/payment/domain/payment-aggregate.js';
import type { PaymentEvent } from '../../../examples/payment/domain/payment-event.js';
import { findPayments, type PaymentSummary } from '../../../examples/payment/read-models/find-payments.js';
import type { DailyTotal } from '../../../examples/payment/read-models/find-totals.js';
import { PaymentReader } from '../../../examples/payment/read-models/payment-reader.js';
import { readModelsOn } from '../../../examples/read-model-database.js';
import { uniqueName } from '../../support/temporal.js';
import {
  details,
  startEmbeddedService,
  startPaymentService,
  type PaymentService,
} from './payment-service.js';

/** Starts the service on a database; what it returns ends both. */
type Start = () => Promise<{ readonly service: PaymentService; readonly stop: () => Promise<void> }>;

const databases: Record<string, Start> = {
  PGlite: async () => {
    const service = await startEmbeddedService();
    return { service, stop: service.stop };
  },
  PostgreSQL: async () => {
    const server = await startPostgresServer();
    const database = `read_models_${crypto.randomUUID().slice(0, 8)}`;
    await administrate(server, `create database ${database}`);
    const url = new URL(server.url);
    url.pathname = `/${database}`;
    const store = await PostgresEventStore.connect({ connectionString: url.href });
    await store.migrate();
    const pool = new pg.Pool({ connectionString: url.href, max: 4 });
    pool.on('error', () => undefined);
    const service = await startPaymentService(store, readModelsOn(pool));
    const stop = async (): Promise<void> => {
      await service.stop();
      await pool.end();
      await store.close();
      await administrate(server, `drop database ${database} with (force)`);
      await server.stop();
    };
    return { service, stop };
  },
};

async function administrate(server: PostgresServer, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: server.url });
  await client.connect();
  await client.query(sql);
  await client.end();
}

describe.each(Object.entries(databases))('the read models in %s', (_database, start) => {
  let service: PaymentService;
  let stop: () => Promise<void>;
  beforeAll(async () => {
    ({ service, stop } = await start());
  }, 240_000);
  afterAll(() => stop());

  /** Takes payments through their lives: one of each end. */
  async function payAll(organization: string): Promise<string[]> {
    const { payments } = service;
    const idOf = (end: string): string => `${organization}-${end}`;
    const refund = (minorUnits: number, currency: string): { amount: Money; reason: string } => ({
      amount: { minorUnits, currency },
      reason: 'a return',
    });
    await payments.execute(idOf('initiated'), 'initiate', details(organization));
    await payments.execute(idOf('completed'), 'process', details(organization, 5_000, 'USD'));
    await payments.execute(idOf('completed'), 'complete');
    await payments.execute(idOf('completed'), 'refund', refund(1_000, 'USD'));
    await payments.execute(idOf('refunded'), 'process', details(organization));
    await payments.execute(idOf('refunded'), 'refund', refund(10_000, 'EUR'));
    await payments.execute(idOf('cancelled'), 'initiate', details(organization));
    await payments.execute(idOf('cancelled'), 'authorise', { authorisationId: 'a-1' });
    await payments.execute(idOf('cancelled'), 'cancel', { reason: 'changed his mind' });
    await payments.execute(idOf('failed'), 'initiate', details(organization));
    await payments.execute(idOf('failed'), 'fail', { reason: 'no funds' });
    await payments.execute(idOf('failed'), 'recordNotification', { channel: 'email', outcome: 'sent' });
    await payments.execute(idOf('deleted'), 'process', details(organization));
    await payments.execute(idOf('deleted'), 'delete', { reason: 'a test' });
    return ['initiated', 'completed', 'refunded', 'cancelled', 'failed', 'deleted'].map(idOf);
  }

  /** What the rows should be: the fold of the log. */
  async function foldOf(ids: readonly string[]): Promise<PaymentSummary[]> {
    const rows: PaymentSummary[] = [];
    for (const id of [...ids].sort()) {
      const { events } = await service.store.readStream<PaymentEvent>(`Payment-${id}`);
      const payment = PaymentAggregate.fromEvents(id, events);
      const { status, organizationId, amount, refunded, version } = payment;
      if (status === 'new' || status === 'deleted') continue;
      const updatedAt = events.at(-1)?.occurredAt ?? '';
      rows.push({ id, organizationId, status, amount, refunded, version, updatedAt });
    }
    return rows;
  }

  it('hold what was written just before, by organisation and status, and nothing of what was deleted', async () => {
    const organization = uniqueName('org');
    const ids = await payAll(organization);

    const { payments: found } = await service.reader.payments({ organizationId: organization });
    expect(found).toEqual(await foldOf(ids));
    expect(found.map(({ status }) => status)).toEqual([
      'cancelled',
      'completed',
      'failed',
      'initiated',
      'refunded',
    ]);
    for (const { status, id } of found) {
      const byStatus = await service.reader.payments({ organizationId: organization, status });
      expect(byStatus.payments.map((payment) => payment.id)).toEqual([id]);
    }
    expect((await service.store.readStream(`Payment-${organization}-deleted`)).version).toBe(2);
  });

  it('are read in pages', async () => {
    const organization = uniqueName('org');
    for (const n of [3, 1, 2]) {
      await service.payments.execute(`${organization}-${n}`, 'process', details(organization));
    }

    const first = await service.reader.payments({ organizationId: organization, limit: 2 });
    expect(first.payments.map(({ id }) => id)).toEqual([`${organization}-1`, `${organization}-2`]);
    expect(first.next).toBe(`${organization}-2`);
    const second = await service.reader.payments({
      organizationId: organization,
      limit: 2,
      after: `${organization}-2`,
    });
    expect(second.payments.map(({ id }) => id)).toEqual([`${organization}-3`]);
    expect(second).not.toHaveProperty('next');
  });

  it('count each payment once', async () => {
    const before = await service.reader.count();
    const organization = uniqueName('org');
    await payAll(organization);
    expect(await service.reader.count()).toBe(before + 5);
  });

  it('total what was captured and refunded by the day in UTC and the currency, also beyond safe integers', async () => {
    const pay = (id: string, occurredAt: string, minorUnits: number): Promise<unknown> =>
      service.store.appendToStream<PaymentEvent>(`Payment-${id}`, [
        { type: 'PaymentProcessed', data: details('org-totals', minorUnits, 'JPY'), occurredAt },
      ]);
    await pay(uniqueName('late'), '2001-03-01T23:59:59.999Z', Number.MAX_SAFE_INTEGER);
    await pay(uniqueName('elsewhere'), '2001-03-02T00:30:00+01:00', Number.MAX_SAFE_INTEGER);
    const refunded = uniqueName('early');
    await pay(refunded, '2001-03-02T00:00:00.000Z', 70);
    await service.store.appendToStream<PaymentEvent>(`Payment-${refunded}`, [
      {
        type: 'PaymentRefunded',
        data: { amount: { minorUnits: 30, currency: 'JPY' }, reason: 'a part' },
        occurredAt: '2001-03-03T12:00:00.000Z',
      },
    ]);

    const totals = await service.reader.totals({ from: '2001-03-01', to: '2001-03-31' });
    expect(totals).toEqual<DailyTotal[]>([
      { day: '2001-03-01', currency: 'JPY', count: 2, captured: '18014398509481982', refunded: '0' },
      { day: '2001-03-02', currency: 'JPY', count: 1, captured: '70', refunded: '0' },
      { day: '2001-03-03', currency: 'JPY', count: 0, captured: '0', refunded: '30' },
    ]);
    expect(await service.reader.totals({ from: '2001-03-02', to: '2001-03-02' })).toEqual([totals[1]]);
  });

  it('are rebuilt from the log to the same', async () => {
    await payAll(uniqueName('org'));
    const before = await service.reader.payments();
    await service.projections.rebuild('payments');
    await expect
      .poll(async () => service.projections.status('payments'), { timeout: 45_000, interval: 200 })
      .toMatchObject({ previous: { version: 1 } });

    expect(await findPayments(service.readModels.client, {})).toEqual(before);
    expect(await service.reader.payments()).toEqual(before);
  });

  it('are an error while they are behind, not an old answer', async () => {
    await service.projections.pause('payments');
    const id = uniqueName('behind');
    await service.payments.execute(id, 'process', details(id));
    const { store, readModels, projections } = service;
    const hasty = new PaymentReader({ store, client: readModels.client, projections, timeout: 100 });
    await expect(hasty.payments({ organizationId: id })).rejects.toMatchObject({ code: 'PROJECTION_BEHIND' });

    await service.projections.resume('payments');
    expect((await service.reader.payments({ organizationId: id })).payments).toHaveLength(1);
  });

  it('are of events with id, type, aggregate, time and metadata', async () => {
    const id = uniqueName('event');
    await service.payments.execute(id, 'process', details(id), { metadata: { actor: 'user-789' } });
    const filter = { tags: [`organization:${id}`] };
    const events = [];
    for await (const event of iterateAll(service.store, { filter })) events.push(event);
    expect(events).toEqual([
      expect.objectContaining({
        id: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
        type: 'PaymentProcessed',
        streamId: `Payment-${id}`,
        version: 1,
        occurredAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/) as string,
        metadata: expect.objectContaining({ actor: 'user-789' }) as object,
      }),
    ]);
  });

  it('have beside them a cache of events that is never stale', async () => {
    const id = uniqueName('cached');
    const reads: number[] = [];
    const { store } = service;
    const counted: typeof store = Object.create(store, {
      readStream: {
        value: async (...args: Parameters<typeof store.readStream>) => {
          const slice = await store.readStream(...args);
          reads.push(slice.events.length);
          return slice;
        },
      },
    }) as typeof store;
    const cached = cachingEventStore(counted, { ttl: 60_000 });
    await service.payments.execute(id, 'initiate', details(id));
    await service.payments.execute(id, 'authorise', { authorisationId: 'a-1' });
    await service.payments.execute(id, 'capture');

    expect((await cached.readStream(`Payment-${id}`)).events).toHaveLength(3);
    expect((await cached.readStream(`Payment-${id}`)).events).toHaveLength(3);
    // Of the second read only the last event came from the store.
    expect(reads).toEqual([3, 1]);

    // By the worker, which knows nothing of this cache.
    await service.payments.execute(id, 'complete');
    const { events } = await cached.readStream(`Payment-${id}`);
    expect(events.map(({ type }) => type)).toEqual([
      'PaymentInitiated',
      'PaymentAuthorised',
      'PaymentProcessed',
      'PaymentCompleted',
    ]);
  });
});
