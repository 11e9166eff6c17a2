import { describe, expect, it } from 'vitest';
import type { PaymentEvent } from '../../../examples/payment/domain/payment-event.js';
import { SimulatedProvider } from '../../../examples/payment/process/simulated-provider.js';
import { startMortalSystem } from './mortal-payment-worker.js';

describe('a worker that is killed in the middle of charging', () => {
  it.each(['authorise', 'capture'] as const)(
    'after the provider did what %s asks for is followed by one that completes the payment, which is charged once',
    { timeout: 180_000 },
    async (step) => {
      const money = new SimulatedProvider({ failureRate: 0 });
      const asked: Record<'authorise' | 'capture', string[]> = { authorise: [], capture: [] };
      let crash = async (): Promise<void> => undefined;
      const dieOnce = async (at: 'authorise' | 'capture'): Promise<void> => {
        if (at === step && asked[at].length === 1) await crash();
      };
      const system = await startMortalSystem({
        money,
        provider: {
          authorise: async (authorisation) => {
            asked.authorise.push(authorisation.idempotencyKey);
            const answer = await money.authorise(authorisation);
            await dieOnce('authorise');
            return answer;
          },
          capture: async (capture) => {
            asked.capture.push(capture.idempotencyKey);
            const answer = await money.capture(capture);
            await dieOnce('capture');
            return answer;
          },
        },
      });
      const { service, request, history, mailbox, receiver } = system;
      crash = async () => {
        await system.killWorker();
        await system.startWorker();
      };
      await system.startWorker();
      const sent = request();
      expect(await service.process(sent)).toMatchObject({ success: true });

      expect(asked[step]).toHaveLength(2);
      expect(new Set(asked[step]).size).toBe(1);
      expect(money.charges).toMatchObject([{ paymentId: sent.paymentId, state: 'taken' }]);
      expect(await history(sent.paymentId)).toEqual([
        'PaymentInitiated',
        'PaymentAuthorised',
        'PaymentProcessed',
        'PaymentCompleted',
        'PaymentNotified',
        'PaymentNotified',
      ]);
      expect(mailbox.mails).toHaveLength(1);
      expect(receiver.webhooks).toHaveLength(1);
    },
  );
});

describe('a worker that is killed in the middle of notifying', () => {
  it.each(['email', 'webhook'] as const)(
    'after the receiver of the %s had it is followed by one that tells again: nothing is lost, the payment charged once',
    { timeout: 180_000 },
    async (channel) => {
      const got = { email: 0, webhook: 0 };
      let crash = async (): Promise<void> => undefined;
      const dieOnce = async (at: 'email' | 'webhook'): Promise<void> => {
        got[at]++;
        if (at === channel && got[at] === 1) await crash();
      };
      const system = await startMortalSystem({
        onMail: () => dieOnce('email'),
        onWebhook: () => dieOnce('webhook'),
      });
      crash = async () => {
        await system.killWorker();
        await system.startWorker();
      };
      await system.startWorker();
      const sent = system.request();
      expect(await system.service.process(sent)).toMatchObject({ success: true });

      expect(got[channel]).toBe(2);
      const { mails } = system.mailbox;
      const { webhooks } = system.receiver;
      expect(mails.length).toBeGreaterThanOrEqual(1);
      expect(webhooks.length).toBeGreaterThanOrEqual(1);
      expect(new Set(mails.map(({ messageId }) => messageId)).size).toBe(1);
      expect(new Set(webhooks.map(({ id }) => id)).size).toBe(1);
      const { events } = await system.store.readStream<PaymentEvent>(`Payment-${sent.paymentId}`);
      expect(
        events.flatMap(({ type, data }) =>
          type === 'PaymentNotified' ? [[data.channel, data.outcome]] : [],
        ),
      ).toEqual(
        expect.arrayContaining([
          ['email', 'sent'],
          ['webhook', 'sent'],
        ]),
      );
      expect(system.money.charges).toMatchObject([{ paymentId: sent.paymentId, state: 'taken' }]);
    },
  );
});
