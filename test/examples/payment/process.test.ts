import { WorkflowFailedError } from '@temporalio/client';
import { AggregateRepository } from 'temporal-event-store';
import { describe, expect, it } from 'vitest';
import { PaymentAggregate } from '../../../examples/payment/domain/payment-aggregate.js';
import { idempotencyKey } from '../../../examples/payment/process/payment-provider.js';
import { SimulatedProvider } from '../../../examples/payment/process/simulated-provider.js';
import { expectWorkerLog } from '../../support/worker-log.js';
import { startPaymentSystem } from './payment-system.js';

expectWorkerLog(
  / failed \w+: The payment provider answered 500 to captures/,
  / Workflow failed Error: Payment \S+ broke down and was undone/,
  / Activity failed \w+: The receiver of the webhook answered 500/,
);

const taken = ['PaymentInitiated', 'PaymentAuthorised', 'PaymentProcessed', 'PaymentCompleted'];

/** A function that a callback of the system calls before the system is there. */
function later<T extends unknown[]>() {
  let call: ((...args: T) => Promise<unknown>) | undefined;
  return {
    set: (given: (...args: T) => Promise<unknown>): void => {
      call = given;
    },
    run: async (...args: T): Promise<void> => {
      await call?.(...args);
    },
  };
}

describe('a payment', () => {
  it('is validated, charged and told, and all of it is in its stream', async () => {
    const { service, request, store, money, mailbox, receiver } = await startPaymentSystem();
    const sent = request();
    const outcome = await service.process(sent);

    expect(outcome).toMatchObject({
      success: true,
      message: 'Payment processed successfully',
      notifications: [
        { channel: 'email', outcome: 'sent' },
        { channel: 'webhook', outcome: 'sent' },
      ],
    });
    const { events } = await store.readStream(`Payment-${sent.paymentId}`);
    expect(events.map(({ type }) => type)).toEqual([...taken, 'PaymentNotified', 'PaymentNotified']);
    for (const { metadata } of events) {
      expect(metadata).toMatchObject({
        actor: 'user-789',
        correlationId: 'case-1',
        workflowId: `payment-${sent.paymentId}`,
      });
    }
    expect(money.charges).toMatchObject([{ paymentId: sent.paymentId, amount: sent.amount, state: 'taken' }]);
    expect(mailbox.mails).toMatchObject([
      { to: ['payer@example.com'], subject: `Payment ${sent.paymentId}` },
    ]);
    expect(receiver.webhooks).toMatchObject([
      { type: 'payment.completed', data: { paymentId: sent.paymentId } },
    ]);
  });

  it('that is not valid is an outcome with the reason; nothing is stored and the provider is not asked', async () => {
    const { service, request, history, money, mailbox } = await startPaymentSystem();
    const cases = [
      [{ amount: { minorUnits: 0, currency: 'EUR' } }, /^Invalid amount/],
      [{ amount: { minorUnits: -5, currency: 'EUR' } }, /^Invalid amount/],
      [{ amount: { minorUnits: 0.5, currency: 'EUR' } }, /^Invalid amount/],
      [{ amount: { minorUnits: 100, currency: '' } }, /^Currency required/],
      [{ amount: { minorUnits: 100, currency: 'EURO' } }, /^Invalid currency: EURO/],
      [{ organizationId: 'org-000' }, /^Organization not found: org-000/],
      [{ organizationId: '' }, /^Invalid request: .*organizationId/s],
      [{ email: 'a@example.com, b@example.com' }, /^Invalid request: .*email/s],
      [{ amount: undefined as never }, /^Invalid request: .*amount/s],
    ] as const;
    await Promise.all(
      cases.map(async ([changes, reason]) => {
        const sent = request(changes);
        expect(await service.process(sent)).toMatchObject({
          success: false,
          step: 'validate',
          message: expect.stringMatching(reason) as string,
        });
        expect(await history(sent.paymentId)).toEqual([]);
      }),
    );
    expect(money.charges).toEqual([]);
    expect(mailbox.mails).toEqual([]);
  });

  it('that the provider declines is an outcome, and recorded', async () => {
    const { service, request, history, mailbox } = await startPaymentSystem({
      money: new SimulatedProvider({ failureRate: 1 }),
    });
    const sent = request();
    expect(await service.process(sent)).toMatchObject({
      success: false,
      step: 'charge',
      message: 'The bank declined the payment',
    });
    expect(await history(sent.paymentId)).toEqual(['PaymentInitiated', 'PaymentFailed']);
    expect(mailbox.mails).toEqual([]);
  });

  it('of many is declined when the seed says so, and no other', async () => {
    const money = new SimulatedProvider({ seed: 7 });
    const { service, request } = await startPaymentSystem({ money });
    const declines = ({ paymentId }: { paymentId: string }): boolean =>
      money.declines(idempotencyKey(paymentId, 'authorise'));
    const candidates = Array.from({ length: 1_000 }, () => request());
    const bad = candidates.filter(declines).slice(0, 2);
    const good = candidates.filter((candidate) => !declines(candidate)).slice(0, 6);
    expect(bad).toHaveLength(2);

    const outcomes = await Promise.all([...good, ...bad].map((sent) => service.process(sent)));
    expect(outcomes.map(({ success }) => success)).toEqual([
      ...good.map(() => true),
      ...bad.map(() => false),
    ]);
    expect(new Set(money.charges.map(({ paymentId }) => paymentId))).toEqual(
      new Set(good.map(({ paymentId }) => paymentId)),
    );
  });

  it('whose id is that of a payment made in another way is refused, and that one is left alone', async () => {
    const { service, request, store, history, money } = await startPaymentSystem();
    const sent = request();
    const { paymentId, organizationId, amount, description } = sent;
    await new AggregateRepository(store, PaymentAggregate).execute(paymentId, (payment) => {
      payment.process({ organizationId, amount, description });
    });
    expect(await service.process(sent)).toMatchObject({
      success: false,
      step: 'charge',
      message: expect.stringContaining('is processed already') as string,
    });
    expect(await history(paymentId)).toEqual(['PaymentProcessed']);
    expect(money.charges).toEqual([]);
  });
});

describe('a provider', () => {
  it('whose answer was lost after it took the money is asked again, and takes it once', async () => {
    const money = new SimulatedProvider({ failureRate: 0 });
    let captures = 0;
    const { service, request } = await startPaymentSystem({
      money,
      provider: {
        capture: async (capture) => {
          const answer = await money.capture(capture);
          if (++captures === 1) throw new Error('The connection was lost');
          return answer;
        },
      },
    });
    expect(await service.process(request())).toMatchObject({ success: true });
    expect(captures).toBe(2);
    expect(money.charges).toMatchObject([{ state: 'taken' }]);
  });

  it('that is away is asked three times; then the payment has failed, and what it held is given back', async () => {
    let asked = 0;
    const { service, request, history, money } = await startPaymentSystem({
      provider: {
        capture: async () => {
          asked++;
          throw new Error('Out of service');
        },
      },
    });
    const sent = request();
    const failure = await service.process(sent).catch((error: unknown) => error);

    expect(failure).toBeInstanceOf(WorkflowFailedError);
    expect((failure as WorkflowFailedError).cause).toMatchObject({
      type: 'PaymentBrokeDown',
      message: expect.stringContaining('answered 500 to captures') as string,
    });
    expect(asked).toBe(3);
    expect(await history(sent.paymentId)).toEqual(['PaymentInitiated', 'PaymentAuthorised', 'PaymentFailed']);
    expect(money.charges).toMatchObject([{ state: 'returned' }]);
  });

  it('that declines to take what it reserved gives it back', async () => {
    const { service, request, history, money } = await startPaymentSystem({
      provider: { capture: async () => ({ accepted: false, reason: 'The reservation has expired' }) },
    });
    const sent = request();
    expect(await service.process(sent)).toMatchObject({
      success: false,
      message: 'The reservation has expired',
    });
    expect((await history(sent.paymentId)).at(-1)).toBe('PaymentFailed');
    expect(money.charges).toMatchObject([{ state: 'returned' }]);
  });
});

describe('compensation', () => {
  it('gives the money back when the payment was failed by somebody before it could be recorded as taken', async () => {
    const money = new SimulatedProvider({ failureRate: 0 });
    const meanwhile = later<[paymentId: string]>();
    const { service, request, store, history } = await startPaymentSystem({
      money,
      provider: {
        capture: async (capture) => {
          const answer = await money.capture(capture);
          await meanwhile.run(capture.paymentId);
          return answer;
        },
      },
    });
    meanwhile.set((paymentId) =>
      new AggregateRepository(store, PaymentAggregate).execute(paymentId, (payment) => {
        payment.fail({ reason: 'Fraud' });
      }),
    );
    const sent = request();
    expect(await service.process(sent)).toMatchObject({
      success: false,
      step: 'charge',
      message: expect.stringContaining('is failed already') as string,
    });
    expect(await history(sent.paymentId)).toEqual(['PaymentInitiated', 'PaymentAuthorised', 'PaymentFailed']);
    expect(money.charges).toMatchObject([{ state: 'returned' }]);
  });

  it.each([
    ['in the middle of charging', 'capture', 'PaymentCancelled'],
    ['in the middle of notifying', 'webhook', 'PaymentRefunded'],
  ] as const)('gives the money back when it is cancelled %s', async (_when, step, last) => {
    const money = new SimulatedProvider({ failureRate: 0 });
    const cancel = later<[paymentId: string]>();
    const { client, service, request, history } = await startPaymentSystem({
      money,
      provider: {
        capture: async (capture) => {
          if (step === 'capture') await cancel.run(capture.paymentId);
          return money.capture(capture);
        },
      },
      onWebhook: async ({ data }) => {
        if (step === 'webhook') await cancel.run(data['paymentId'] as string);
        throw new Error('Not now');
      },
    });
    cancel.set((paymentId) => client.workflow.getHandle(`payment-${paymentId}`).cancel());
    const sent = request();
    await expect(service.process(sent)).rejects.toThrow(WorkflowFailedError);

    expect(await service.status(`payment-${sent.paymentId}`)).toMatchObject({ status: 'cancelled' });
    const types = await history(sent.paymentId);
    expect(types.filter((type) => type !== 'PaymentNotified').at(-1)).toBe(last);
    expect(money.charges).toMatchObject([{ state: 'returned' }]);
  });
});
