import { describe, expect, it } from 'vitest';
import type { PaymentEvent } from '../../../examples/payment/domain/payment-event.js';
import { webhookNotifier } from '../../../examples/payment/process/notifications/webhook-notifier.js';
import type { ReceivedMail } from '../../../examples/payment/story/mailbox.js';
import {
  startWebhookReceiver,
  WebhookRefusal,
  type ReceivedWebhook,
} from '../../../examples/payment/story/webhook-receiver.js';
import { expectTypedError } from '../../support/typed-error.js';
import { expectWorkerLog } from '../../support/worker-log.js';
import { startPaymentSystem, type Surroundings } from './payment-system.js';

expectWorkerLog(
  / failed \w+: The receiver of the webhook answered (500|503|410)/,
  / failed \w+: Message failed: (451|550)/,
);

/** What the stream of the payment says about its notifications, by channel. */
async function recorded({ store }: Surroundings, paymentId: string): Promise<Record<string, unknown>> {
  const { events } = await store.readStream<PaymentEvent>(`Payment-${paymentId}`);
  return Object.fromEntries(
    events.flatMap(({ type, data }) =>
      type === 'PaymentNotified' ? [[data.channel, data.reason ?? data.outcome]] : [],
    ),
  );
}

/** The answer of a mail server. */
function smtpReply(responseCode: number, message: string): Error {
  return Object.assign(new Error(message), { responseCode });
}

describe('a notification', () => {
  it('that a receiver refuses twice goes through at the third attempt, under the same id', async () => {
    const mails: ReceivedMail[] = [];
    const webhooks: ReceivedWebhook[] = [];
    const system = await startPaymentSystem({
      onMail: (mail) => {
        if (mails.push(mail) < 3) throw smtpReply(451, 'Try again later');
      },
      onWebhook: (webhook) => {
        if (webhooks.push(webhook) < 3) throw new WebhookRefusal(503);
      },
    });
    const { paymentId } = await pay(system);

    expect(await recorded(system, paymentId)).toEqual({ email: 'sent', webhook: 'sent' });
    expect(mails).toHaveLength(3);
    expect(new Set(mails.map(({ messageId }) => messageId)).size).toBe(1);
    expect(mails[0]?.messageId).toMatch(/^<payment\.completed\.[0-9a-f]{32}@example\.com>$/);
    expect(webhooks).toHaveLength(3);
    expect(new Set(webhooks.map(({ id }) => id)).size).toBe(1);
    expect(system.mailbox.mails).toHaveLength(1);
    expect(system.receiver.webhooks).toHaveLength(1);
  });

  it('that fails at the last attempt is recorded with the reason, and the payment is completed all the same', async () => {
    let attempts = 0;
    const system = await startPaymentSystem({
      onMail: () => {
        attempts++;
        throw smtpReply(451, 'The disk is full');
      },
      onWebhook: () => {
        throw new WebhookRefusal(500);
      },
    });
    const { paymentId, outcome } = await pay(system);

    expect(outcome).toMatchObject({
      success: true,
      notifications: [
        { channel: 'email', outcome: 'failed' },
        { channel: 'webhook', outcome: 'failed' },
      ],
    });
    expect(attempts).toBe(3);
    expect(await recorded(system, paymentId)).toEqual({
      email: expect.stringContaining('The disk is full') as string,
      webhook: 'The receiver of the webhook answered 500',
    });
    expect(await system.history(paymentId)).toContain('PaymentCompleted');
    expect(system.money.charges).toMatchObject([{ state: 'taken' }]);
  });

  it('that is refused for good is not tried again', async () => {
    let mails = 0;
    let webhooks = 0;
    const system = await startPaymentSystem({
      onMail: () => {
        mails++;
        throw smtpReply(550, 'No such mailbox');
      },
      onWebhook: () => {
        webhooks++;
        throw new WebhookRefusal(410);
      },
    });
    const { paymentId } = await pay(system);
    expect({ mails, webhooks }).toEqual({ mails: 1, webhooks: 1 });
    expect(await recorded(system, paymentId)).toMatchObject({
      email: expect.stringContaining('No such mailbox') as string,
    });
  });

  it('holds what the payer may know, and no header that a payment smuggles in', async () => {
    const system = await startPaymentSystem();
    await pay(system, { description: 'Invoice 7\r\nBcc: all@example.com' });
    const [mail] = system.mailbox.mails;
    expect(mail?.to).toEqual(['payer@example.com']);
    expect(mail?.raw.split('\r\n\r\n')[0]).not.toContain('Bcc');
    expect(mail?.raw).toContain('org-456 has received');
    expect(JSON.stringify(system.receiver.webhooks)).not.toContain('payer@example.com');
  });
});

describe('a webhook', () => {
  const notice = {
    paymentId: 'payment-1',
    organizationId: 'org-456',
    amount: { minorUnits: 10_000, currency: 'EUR' },
    description: 'Test payment',
    email: 'payer@example.com',
    completedAt: '2026-01-01T00:00:00.000Z',
  };

  it('is refused by a receiver that has another secret', async () => {
    const receiver = await startWebhookReceiver();
    const other = await startWebhookReceiver();
    try {
      const { url } = receiver;
      await webhookNotifier({ url, secret: receiver.secret }).send(notice);
      await expect(webhookNotifier({ url, secret: other.secret }).send(notice)).rejects.toThrow(
        'answered 401',
      );
      expect(receiver.webhooks).toEqual([
        {
          id: expect.stringMatching(/^payment\.completed\.[0-9a-f]{32}$/) as string,
          type: 'payment.completed',
          timestamp: '2026-01-01T00:00:00.000Z',
          data: {
            paymentId: 'payment-1',
            organizationId: 'org-456',
            amount: { minorUnits: 10_000, currency: 'EUR' },
            description: 'Test payment',
          },
        },
      ]);
    } finally {
      await receiver.close();
      await other.close();
    }
  });

  it('needs a secret that is base64, and does not tell the one that is not', async () => {
    const secret = 'sécret!';
    const call = Promise.resolve().then(() => webhookNotifier({ url: 'http://localhost', secret }));
    await expectTypedError(call, { code: 'INVALID_ARGUMENT', says: /not base64/, secrets: [secret] });
  });
});

async function pay({ service, request }: Surroundings, changes: Parameters<Surroundings['request']>[0] = {}) {
  const sent = request(changes);
  return { paymentId: sent.paymentId, outcome: await service.process(sent) };
}
