import { Client, Connection } from '@temporalio/client';
import { NativeConnection } from '@temporalio/worker';
import { AggregateClient, ProjectionClient } from 'temporal-event-store/client';
import { openStore } from '../../open-store.js';
import { installRuntime } from '../../runtime.js';
import { startTemporalServer } from '../../temporal-server.js';
import { PaymentAggregate } from '../domain/payment-aggregate.js';
import {
  PaymentReader,
  startPaymentProjections,
  stopPaymentProjections,
} from '../read-models/payment-reader.js';
import { createPaymentWorker } from '../worker.js';
import { createPaymentApi } from './payment-api.js';

// Server, worker and API in one process, until Ctrl-C.
const port = Number(process.env['PORT'] ?? 3000);
// Of this run: a store in memory has no other worker.
const taskQueue = `payment-api-${crypto.randomUUID().slice(0, 8)}`;

installRuntime('WARN', { shutdownSignals: [] });
const server = await startTemporalServer();
const { store, readModels, place, close } = await openStore({ schema: 'payment_example' });
const { address, namespace } = server;
const connection = await NativeConnection.connect({ address });
const publisher = { publish: async () => undefined };
const worker = await createPaymentWorker({ connection, namespace, taskQueue, store, readModels, publisher });
try {
  await worker.runUntil(serve());
} finally {
  await connection.close();
  await close();
  await server.stop();
}

async function serve(): Promise<void> {
  const client = new Client({ connection: await Connection.connect({ address }), namespace });
  const payments = new AggregateClient({ client, aggregate: PaymentAggregate, taskQueue });
  const projections = new ProjectionClient({ client, taskQueue });
  await startPaymentProjections(projections);
  const reader = new PaymentReader({ store, client: readModels.client, projections });
  const api = await createPaymentApi({ payments, store, reader });
  const url = await api.listen({ port, host: '127.0.0.1' });
  console.log(`The payments are at ${url}, their store is ${place}. Ctrl-C ends it.\n\n${curlLines(url)}`);
  await new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, resolve);
  });
  await api.close();
  await payments.close();
  await stopPaymentProjections(projections);
}

function curlLines(url: string): string {
  const body =
    '{"organizationId":"org-456","amount":{"minorUnits":10000,"currency":"EUR"},"description":"Invoice 1"}';
  return [
    `KEY=$(uuidgen)`,
    `curl -i ${url}/payments -H "Idempotency-Key: $KEY" --json '${body}'   # twice: one payment`,
    `curl '${url}/payments?organization=org-456&status=processed'`,
    `curl ${url}/payments/ID/history`,
    `curl ${url}/payments/ID/refund -H "Idempotency-Key: $(uuidgen)" --json '{"amount":{"minorUnits":2500,"currency":"EUR"},"reason":"a part"}'`,
    `curl -X DELETE '${url}/payments/ID?reason=a+test' -H "Idempotency-Key: $(uuidgen)"`,
    `curl ${url}/totals`,
    `curl ${url}/openapi.json`,
  ].join('\n');
}
