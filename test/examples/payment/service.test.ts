import { WorkflowFailedError, WorkflowNotFoundError } from '@temporalio/client';
import { describe, expect, inject, it, onTestFinished } from 'vitest';
import {
  PaymentMismatchError,
  PaymentWorkflowService,
} from '../../../examples/payment/process/payment-workflow-service.js';
import { SimulatedProvider } from '../../../examples/payment/process/simulated-provider.js';
import {
  TemporalClientFactory,
  type TemporalClientFactoryOptions,
} from '../../../examples/payment/process/temporal-client-factory.js';
import { uniqueName } from '../../support/temporal.js';
import { expectTypedError } from '../../support/typed-error.js';
import { startPaymentSystem } from './payment-system.js';

describe("the seed's tests of the payment workflow", () => {
  it('testPaymentWorkflowExecution: a payment is processed successfully', async () => {
    const { service, request } = await startPaymentSystem();
    const sent = request({
      organizationId: 'org-456',
      userId: 'user-789',
      amount: { minorUnits: 10_000, currency: 'EUR' },
      description: 'Test payment',
    });
    expect(await service.process(sent)).toMatchObject({
      success: true,
      message: 'Payment processed successfully',
    });
  });

  it('testWorkflowStatus: the workflow of a payment tells how it stands', async () => {
    const { service, request } = await startPaymentSystem();
    const sent = request({
      organizationId: 'org-789',
      userId: 'user-123',
      amount: { minorUnits: 20_000, currency: 'USD' },
      description: 'Test payment 2',
    });
    await service.process(sent);
    const workflowId = `payment-${sent.paymentId}`;
    expect(await service.status(workflowId)).toEqual({
      workflowId,
      status: 'completed',
      isRunning: false,
      isCompleted: true,
      isFailed: false,
    });
  });
});

describe('process', () => {
  it('called several times at once, and after the end, makes one payment', async () => {
    const { client, taskQueue, service, request, money, mailbox } = await startPaymentSystem();
    const another = new PaymentWorkflowService({ client, taskQueue });
    const sent = request();
    const outcomes = await Promise.all([service.process(sent), service.process(sent), another.process(sent)]);
    outcomes.push(await another.process(sent), await service.process(sent));

    for (const outcome of outcomes) expect(outcome).toEqual(outcomes[0]);
    expect(money.charges).toHaveLength(1);
    expect(mailbox.mails).toHaveLength(1);
  });

  it('refuses another payment under an id that was used', async () => {
    const { service, request, money } = await startPaymentSystem();
    const sent = request();
    await service.process(sent);
    const other = { ...sent, amount: { minorUnits: 1, currency: 'EUR' } };
    await expect(service.process(other)).rejects.toThrow(PaymentMismatchError);
    expect(money.charges).toHaveLength(1);
  });

  it('takes no money again when Temporal has forgotten the payment', { timeout: 180_000 }, async () => {
    const { client, service, request, money, history } = await startPaymentSystem();
    const sent = request();
    await service.process(sent);
    const workflowId = `payment-${sent.paymentId}`;
    const { namespace } = inject('temporal');
    await client.workflowService.deleteWorkflowExecution({ namespace, workflowExecution: { workflowId } });
    // The server deletes when it has closed its own books on the workflow, which takes longer when it is busy.
    await expect
      .poll(() => service.status(workflowId).catch((error: unknown) => error), { timeout: 150_000 })
      .toBeInstanceOf(WorkflowNotFoundError);

    const before = await history(sent.paymentId);
    expect(await service.process(sent)).toMatchObject({
      success: false,
      message: expect.stringContaining('is completed already') as string,
    });
    expect(await history(sent.paymentId)).toEqual(before);
    expect(money.charges).toMatchObject([{ state: 'taken' }]);
  });

  it('needs an id', async () => {
    const { service, request } = await startPaymentSystem();
    await expectTypedError(service.process(request({ paymentId: '' })), {
      code: 'INVALID_ARGUMENT',
      says: /needs an id/,
    });
  });
});

describe('status and cancel', () => {
  it('follow a payment that is cancelled while it is charged, and wait for its money', async () => {
    const money = new SimulatedProvider({ failureRate: 0 });
    let reached = (): void => undefined;
    const charging = new Promise<void>((resolve) => (reached = resolve));
    let open = (): void => undefined;
    const gate = new Promise<void>((resolve) => (open = resolve));
    const { service, request } = await startPaymentSystem({
      money,
      provider: {
        capture: async (capture) => {
          reached();
          await gate;
          return money.capture(capture);
        },
      },
    });
    const sent = request();
    const workflowId = `payment-${sent.paymentId}`;
    const outcome = service.process(sent).catch((error: unknown) => error);
    await charging;
    expect(await service.status(workflowId)).toMatchObject({ status: 'running', isRunning: true });

    const cancelled = service.cancel(workflowId);
    open();
    expect(await cancelled).toMatchObject({ workflowId, isRunning: false });
    const { status } = await service.status(workflowId);
    // The answer of the provider may come before the request to cancel.
    expect(['cancelled', 'completed']).toContain(status);
    expect(money.charges).toMatchObject([{ state: status === 'cancelled' ? 'returned' : 'taken' }]);
    if (status === 'cancelled') expect(await outcome).toBeInstanceOf(WorkflowFailedError);
  });

  it('undo a payment whose workflow was terminated in the middle', async () => {
    const money = new SimulatedProvider({ failureRate: 0 });
    let terminate = async (_paymentId: string): Promise<unknown> => undefined;
    const { client, service, request, history } = await startPaymentSystem({
      money,
      provider: {
        capture: async (capture) => {
          const answer = await money.capture(capture);
          await terminate(capture.paymentId);
          return answer;
        },
      },
    });
    terminate = (paymentId) => client.workflow.getHandle(`payment-${paymentId}`).terminate();
    const sent = request();
    const workflowId = `payment-${sent.paymentId}`;
    await expect(service.process(sent)).rejects.toThrow(WorkflowFailedError);
    expect(money.charges).toMatchObject([{ state: 'taken' }]);

    expect(await service.cancel(workflowId)).toMatchObject({ status: 'terminated', isFailed: true });
    expect(await service.cancel(workflowId)).toMatchObject({ status: 'terminated' });
    expect(money.charges).toMatchObject([{ state: 'returned' }]);
    expect(await history(sent.paymentId)).toEqual([
      'PaymentInitiated',
      'PaymentAuthorised',
      'PaymentCancelled',
    ]);
  });

  it('leave a payment alone that has ended', async () => {
    const { service, request, money } = await startPaymentSystem();
    const sent = request();
    await service.process(sent);
    expect(await service.cancel(`payment-${sent.paymentId}`)).toMatchObject({ status: 'completed' });
    expect(money.charges).toMatchObject([{ state: 'taken' }]);
  });

  it('tell what they do not know', async () => {
    const { service } = await startPaymentSystem();
    const unknown = uniqueName('payment-unknown');
    await expect(service.status(unknown)).rejects.toThrow(WorkflowNotFoundError);
    await expect(service.cancel(unknown)).rejects.toThrow(WorkflowNotFoundError);
    await expectTypedError(service.cancel('undo-payment-1'), {
      code: 'INVALID_ARGUMENT',
      says: /not the workflow of a payment/,
    });
  });
});

describe('TemporalClientFactory', () => {
  function serverOptions(): { readonly host: string; readonly port: number; readonly namespace: string } {
    const { address, namespace } = inject('temporal');
    const { hostname: host, port } = new URL(`tcp://${address}`);
    return { host, port: Number(port), namespace };
  }

  function factory(options: TemporalClientFactoryOptions): TemporalClientFactory {
    const made = new TemporalClientFactory(options);
    onTestFinished(() => made.close());
    return made;
  }

  it('makes clients that share a connection, and connects again after it was closed', async () => {
    const clients = factory(serverOptions());
    const [first, second] = await Promise.all([clients.createClient(), clients.createClient()]);
    expect(first.connection).toBe(second.connection);
    expect(first.options.namespace).toBe(inject('temporal').namespace);
    await clients.close();
    const third = await clients.createClient();
    expect(third.connection).not.toBe(first.connection);
    await expect(third.workflow.getHandle(uniqueName('none')).describe()).rejects.toThrow(
      WorkflowNotFoundError,
    );
  });

  it.each([
    ['where nothing listens', { port: 1 }],
    ['with TLS to a server that has none', { host: 'localhost', tls: true }],
  ])('%s rejects, and may be asked again', async (_what, changes) => {
    const clients = factory({ ...serverOptions(), connectTimeout: 2_000, ...changes });
    await expect(clients.createClient()).rejects.toThrow(/connect|deadline/i);
    await expect(clients.createClient()).rejects.toThrow(/connect|deadline/i);
    await clients.close();
  });

  it.each([
    [{ host: '' }, /no host/],
    [{ host: 'http://localhost' }, /no host/],
    [{ port: 0 }, /no port/],
    [{ port: 70_000 }, /no port/],
    [{ namespace: '' }, /namespace is empty/],
  ])('refuses %o', async (options, says) => {
    const call = Promise.resolve().then(() => new TemporalClientFactory(options));
    await expectTypedError(call, { code: 'INVALID_ARGUMENT', says });
  });
});
