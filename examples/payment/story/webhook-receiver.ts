import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { Webhook } from 'standardwebhooks';

export interface ReceivedWebhook {
  readonly id: string;
  readonly type: string;
  readonly timestamp: string;
  readonly data: Readonly<Record<string, unknown>>;
}

export interface WebhookReceiver {
  readonly url: string;
  /** For `webhookNotifier`. */
  readonly secret: string;
  /** All that was accepted, in the order in which it came. */
  readonly webhooks: readonly ReceivedWebhook[];
  close(): Promise<void>;
}

/** How a receiver says no. */
export class WebhookRefusal extends Error {
  constructor(readonly status: number) {
    super(`Refused with ${status}`);
  }
}

/**
 * A receiver of webhooks that keeps what was signed with its secret. It answers 204, and 401 to what wasn't.
 *
 * @param inspect called before one is accepted; a {@link WebhookRefusal} that it throws is the answer, anything else is 500
 */
export async function startWebhookReceiver(
  inspect: (webhook: ReceivedWebhook) => void | Promise<void> = () => undefined,
): Promise<WebhookReceiver> {
  const secret = `whsec_${Buffer.from(crypto.getRandomValues(new Uint8Array(24))).toString('base64')}`;
  const webhooks: ReceivedWebhook[] = [];
  const receive = async (request: IncomingMessage): Promise<void> => {
    const headers = request.headers as Record<string, string>;
    const body = await text(request);
    try {
      new Webhook(secret).verify(body, headers);
    } catch {
      throw new WebhookRefusal(401);
    }
    const content = JSON.parse(body) as Omit<ReceivedWebhook, 'id'>;
    const webhook = { id: headers['webhook-id'] ?? '', ...content };
    await inspect(webhook);
    webhooks.push(webhook);
  };
  const server = createServer((request, response) => {
    receive(request).then(
      () => response.writeHead(204).end(),
      (error: unknown) => response.writeHead(error instanceof WebhookRefusal ? error.status : 500).end(),
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    secret,
    webhooks,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
