import { httpProvider } from '../../../examples/payment/process/http-provider.js';
import { emailNotifier } from '../../../examples/payment/process/notifications/email-notifier.js';
import { webhookNotifier } from '../../../examples/payment/process/notifications/webhook-notifier.js';
import { knownOrganizations } from '../../../examples/payment/process/organization-directory.js';
import type { ProcessPorts } from '../../../examples/payment/process/process-activities.js';

export interface PortUrls {
  readonly provider: string;
  readonly smtp: string;
  readonly webhook: string;
  readonly webhookSecret: string;
}

/** The ports of a worker, in this process or in another. */
export function portsAt({ provider, smtp, webhook, webhookSecret }: PortUrls): ProcessPorts {
  return {
    organizations: knownOrganizations(['org-456', 'org-789']),
    provider: httpProvider({ url: provider }),
    email: emailNotifier({ url: smtp, from: 'payments@example.com' }),
    webhook: webhookNotifier({ url: webhook, secret: webhookSecret }),
  };
}
