import { createPaymentApi } from '../api/payment-api.js';
import { PaymentReader } from '../read-models/payment-reader.js';
import type { Stage } from './stage.js';

/** The same by HTTP. */
export async function api(stage: Stage): Promise<void> {
  const { store, payments, projections, title, say } = stage;
  const reader = new PaymentReader({ store, client: stage.readModels.client, projections });
  const server = await createPaymentApi({ payments, store, reader });
  const url = await server.listen({ port: 0, host: '127.0.0.1' });
  const post = async (key: string, minorUnits: number): Promise<void> => {
    const response = await fetch(`${url}/payments`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'idempotency-key': key },
      body: JSON.stringify({
        organizationId: 'org-http',
        amount: { minorUnits, currency: 'EUR' },
        description: 'Invoice by HTTP',
      }),
    });
    say(`  ${response.status} ${await response.text()}`);
  };

  title('The HTTP API: a payment, the same request again, another one with its key, and a bad one');
  const key = crypto.randomUUID();
  await post(key, 6_000);
  await post(key, 6_000);
  await post(key, 7_000);
  await post(crypto.randomUUID(), -1);
  const list = await fetch(`${url}/payments?organization=org-http`);
  say(`  ${list.status} ${await list.text()}`);
  await server.close();
}
