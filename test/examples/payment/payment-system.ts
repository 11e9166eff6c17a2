import type { Client } from '@temporalio/client';
import { MemoryEventStore } from 'temporal-event-store/memory';
import { onTestFinished } from 'vitest';
import type { PaymentEvent } from '../../../examples/payment/domain/payment-event.js';
import { EventBus } from '../../../examples/payment/events/event-bus.js';
import type { PaymentProvider } from '../../../examples/payment/process/payment-provider.js';
import type { PaymentRequest } from '../../../examples/payment/process/payment-request.js';
import { PaymentWorkflowService } from '../../../examples/payment/process/payment-workflow-service.js';
import { serveProvider } from '../../../examples/payment/process/provider-server.js';
import { SimulatedProvider } from '../../../examples/payment/process/simulated-provider.js';
import { startMailbox, type Mailbox, type ReceivedMail } from '../../../examples/payment/story/mailbox.js';
import {
  startWebhookReceiver,
  type ReceivedWebhook,
  type WebhookReceiver,
} from '../../../examples/payment/story/webhook-receiver.js';
import { connectClient, shortWorkflowTasks, uniqueName } from '../../support/temporal.js';
import { portsAt, type PortUrls } from './payment-ports.js';
import { startPaymentWorker } from './payment-worker.js';

export interface PaymentSystemOptions {
  /** Where the money is. Default: one that declines nothing. */
  readonly money?: SimulatedProvider;
  /** Methods of the provider that come before those of `money`. */
  readonly provider?: Partial<PaymentProvider>;
  readonly onMail?: (mail: ReceivedMail) => void | Promise<void>;
  readonly onWebhook?: (webhook: ReceivedWebhook) => void | Promise<void>;
}

/** All that is outside of the worker: it outlives a worker that is killed. */
export interface Surroundings {
  readonly client: Client;
  readonly store: MemoryEventStore;
  readonly taskQueue: string;
  readonly money: SimulatedProvider;
  readonly providerUrl: string;
  readonly mailbox: Mailbox;
  readonly receiver: WebhookReceiver;
  readonly service: PaymentWorkflowService;
  /** A payment of an id that no other test uses. */
  readonly request: (changes?: Partial<PaymentRequest>) => PaymentRequest;
  /** The types of the events of a payment. */
  readonly history: (paymentId: string) => Promise<string[]>;
}

export async function startSurroundings(options: PaymentSystemOptions = {}): Promise<Surroundings> {
  const money = options.money ?? new SimulatedProvider({ failureRate: 0 });
  const provider = await serveProvider({
    authorise: (request) => money.authorise(request),
    capture: (request) => money.capture(request),
    refund: (request) => money.refund(request),
    ...options.provider,
  });
  const mailbox = await startMailbox(options.onMail);
  const receiver = await startWebhookReceiver(options.onWebhook);
  onTestFinished(async () => {
    await provider.close();
    await mailbox.close();
    await receiver.close();
  });
  const client = await connectClient({ interceptors: { workflow: [shortWorkflowTasks] } });
  const store = new MemoryEventStore();
  const taskQueue = uniqueName('payment-process');
  return {
    client,
    store,
    taskQueue,
    money,
    providerUrl: provider.url,
    mailbox,
    receiver,
    service: new PaymentWorkflowService({ client, taskQueue }),
    request: (changes = {}) => ({
      paymentId: uniqueName('payment'),
      correlationId: 'case-1',
      organizationId: 'org-456',
      userId: 'user-789',
      amount: { minorUnits: 10_000, currency: 'EUR' },
      description: 'Test payment',
      email: 'payer@example.com',
      ...changes,
    }),
    history: async (paymentId) =>
      (await store.readStream<PaymentEvent>(`Payment-${paymentId}`)).events.map(({ type }) => type),
  };
}

export function urlsOf({ providerUrl, mailbox, receiver }: Surroundings): PortUrls {
  return {
    provider: providerUrl,
    smtp: mailbox.url,
    webhook: receiver.url,
    webhookSecret: receiver.secret,
  };
}

/** All of it, with a worker in this process. */
export async function startPaymentSystem(options: PaymentSystemOptions = {}): Promise<Surroundings> {
  const surroundings = await startSurroundings(options);
  const stop = await startPaymentWorker({
    taskQueue: surroundings.taskQueue,
    store: surroundings.store,
    publisher: new EventBus<PaymentEvent>(),
    ports: portsAt(urlsOf(surroundings)),
  });
  onTestFinished(stop);
  return surroundings;
}
