import { httpProvider } from '../process/http-provider.js';
import { emailNotifier } from '../process/notifications/email-notifier.js';
import { webhookNotifier } from '../process/notifications/webhook-notifier.js';
import { knownOrganizations } from '../process/organization-directory.js';
import type { ProcessPorts } from '../process/process-activities.js';
import { serveProvider } from '../process/provider-server.js';
import { SimulatedProvider } from '../process/simulated-provider.js';
import { startMailbox, type Mailbox } from './mailbox.js';
import { startWebhookReceiver, type WebhookReceiver } from './webhook-receiver.js';

/** The world outside of the payment service, by real servers in this process. */
export interface Outside {
  readonly provider: SimulatedProvider;
  readonly mailbox: Mailbox;
  readonly receiver: WebhookReceiver;
  /** How the worker reaches it. */
  readonly ports: ProcessPorts;
  close(): Promise<void>;
}

export async function startOutside(): Promise<Outside> {
  // A payment here and there is declined: the same in each run.
  const provider = new SimulatedProvider({ seed: 1, latency: 200 });
  const server = await serveProvider(provider);
  const mailbox = await startMailbox();
  const receiver = await startWebhookReceiver();
  const { url, secret } = receiver;
  return {
    provider,
    mailbox,
    receiver,
    ports: {
      organizations: knownOrganizations(['org-456', 'org-789']),
      provider: httpProvider({ url: server.url }),
      email: emailNotifier({ url: mailbox.url, from: 'payments@example.com' }),
      webhook: webhookNotifier({ url, secret }),
    },
    close: async () => {
      await server.close();
      await mailbox.close();
      await receiver.close();
    },
  };
}
