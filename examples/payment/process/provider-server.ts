import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { z } from 'zod';
import type { PaymentProvider } from './payment-provider.js';

const amount = z.object({ minorUnits: z.number(), currency: z.string() });
const authorisation = z.object({ paymentId: z.string(), amount, description: z.string() });
const capture = z.object({ paymentId: z.string(), authorisationId: z.string() });
const refund = z.object({ paymentId: z.string() });

export interface ProviderServer {
  readonly url: string;
  close(): Promise<void>;
}

/** Serves a provider as `httpProvider` speaks to it: in a process that outlives the workers. */
export async function serveProvider(provider: PaymentProvider): Promise<ProviderServer> {
  const routes: Record<string, (idempotencyKey: string, body: unknown) => Promise<unknown>> = {
    '/authorisations': (idempotencyKey, body) =>
      provider.authorise({ idempotencyKey, ...authorisation.parse(body) }),
    '/captures': (idempotencyKey, body) => provider.capture({ idempotencyKey, ...capture.parse(body) }),
    '/refunds': async (idempotencyKey, body) => {
      await provider.refund({ idempotencyKey, ...refund.parse(body) });
      return {};
    },
  };
  const server = createServer((request, response) => {
    const answer = (status: number, body: unknown): void => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    };
    const key = request.headers['idempotency-key'];
    const route = routes[request.url ?? ''];
    if (request.method !== 'POST' || route === undefined) {
      answer(404, { error: 'There is no such request.' });
    } else if (typeof key !== 'string') {
      answer(400, { error: 'The header Idempotency-Key is missing.' });
    } else {
      json(request)
        .then((body) => route(decodeURIComponent(key), body))
        .then(
          (result) => {
            answer((result as { accepted?: boolean }).accepted === false ? 402 : 200, result);
          },
          (error: unknown) => {
            const isBad = error instanceof z.ZodError || error instanceof SyntaxError;
            answer(isBad ? 400 : 500, { error: String(error) });
          },
        );
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
