import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { CloudEvent } from 'temporal-event-store';
import { onTestFinished } from 'vitest';

/** A message as it came. */
export interface Delivery {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly path: string;
}

export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** An endpoint on this machine, which keeps what comes. */
export interface WebhookReceiver {
  readonly url: string;
  readonly deliveries: readonly Delivery[];
  /** The `data` of those that were answered with 2xx, in order. */
  readonly accepted: readonly unknown[];
  /** Stops listening, as a server that is down; `up` listens again at the same address. */
  down(): Promise<void>;
  up(): Promise<void>;
}

/** A secret of Standard Webhooks. */
export function newSecret(): string {
  return `whsec_${Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString('base64')}`;
}

/** @param answer to a message, by its number from 1; `undefined` never answers. Default 204 */
export async function useReceiver(
  answer: (delivery: Delivery, number: number) => Answer | undefined = () => ({ status: 204 }),
): Promise<WebhookReceiver> {
  const deliveries: Delivery[] = [];
  const accepted: unknown[] = [];
  const server = createServer((request, response) => {
    void (async () => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const body = Buffer.concat(chunks).toString();
      const delivery = { headers: request.headers, body, path: request.url ?? '' };
      const said = answer(delivery, deliveries.push(delivery));
      if (said === undefined) return;
      if (said.status < 300) accepted.push((JSON.parse(body) as CloudEvent).data);
      response.writeHead(said.status, said.headers).end(said.body);
    })();
  });
  const listen = (port: number): Promise<void> =>
    new Promise((resolve) => server.listen(port, '127.0.0.1', resolve));
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => {
        resolve();
      });
      server.closeAllConnections();
    });
  await listen(0);
  const { port } = server.address() as AddressInfo;
  onTestFinished(close);
  return {
    url: `http://127.0.0.1:${port}/events`,
    deliveries,
    accepted,
    down: close,
    up: () => listen(port),
  };
}
