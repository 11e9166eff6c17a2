import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, expect, it, onTestFinished } from 'vitest';
import { httpProvider } from '../../../examples/payment/process/http-provider.js';

const request = {
  idempotencyKey: 'payment-é:authorise',
  paymentId: 'é',
  amount: { minorUnits: 100, currency: 'EUR' },
  description: '',
};

interface Asked {
  readonly path: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: unknown;
}

/** A provider that always answers the same; never, without a status. */
async function providerThat({ status, body = '' }: { readonly status?: number; readonly body?: string }) {
  const asked: Asked[] = [];
  const server = createServer((incoming, response) => {
    void text(incoming).then((received) => {
      asked.push({ path: incoming.url, headers: incoming.headers, body: JSON.parse(received) as unknown });
      if (status !== undefined) response.writeHead(status).end(body);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
  return { provider: httpProvider({ url, timeout: status === undefined ? 200 : 10_000 }), asked };
}

const json = JSON.stringify;

describe('httpProvider', () => {
  it('asks by POST, with the key as a header of ASCII', async () => {
    const answer = { accepted: true, reference: 'r' } as const;
    const { provider, asked } = await providerThat({ status: 200, body: json(answer) });

    expect(await provider.authorise(request)).toEqual(answer);

    const { idempotencyKey: _, ...body } = request;
    expect(asked).toMatchObject([
      { path: '/v1/authorisations', headers: { 'idempotency-key': 'payment-%C3%A9%3Aauthorise' }, body },
    ]);
  });

  it('is told of a payment that is declined', async () => {
    const answer = { accepted: false, reason: 'No funds' } as const;
    const { provider } = await providerThat({ status: 402, body: json(answer) });
    expect(await provider.authorise(request)).toEqual(answer);
  });

  it.each([
    { what: 'a fault of the provider', status: 500, body: 'Oops', nonRetryable: false },
    { what: 'a request that is still worked on', status: 409, nonRetryable: false },
    { what: 'too many requests', status: 429, nonRetryable: false },
    { what: 'a page of a proxy', status: 200, body: '<html>', nonRetryable: false },
    { what: 'a request that is refused', status: 400, body: 'Which currency?', nonRetryable: true },
    { what: 'an answer of another form', status: 200, body: json({ accepted: 'yes' }), nonRetryable: true },
  ])('takes $what for final: $nonRetryable', async ({ what: _, nonRetryable, ...answer }) => {
    const { provider } = await providerThat(answer);
    await expect(provider.authorise(request)).rejects.toMatchObject({
      type: 'ProviderError',
      nonRetryable,
      message: expect.stringContaining('authorisations') as string,
    });
  });

  it('gives up an answer that takes too long', async () => {
    const { provider } = await providerThat({});
    await expect(provider.authorise(request)).rejects.toMatchObject({ name: 'TimeoutError' });
  });
});
