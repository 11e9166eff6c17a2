import { log } from '@temporalio/activity';
import { isEventStoreError, streamId } from 'temporal-event-store';
import type { ActivityLogger } from 'temporal-event-store/activities';
import { z } from 'zod';
import { isCurrency, isPayable } from '../domain/money.js';
import { PaymentAggregate } from '../domain/payment-aggregate.js';
import type { Notifier } from './notifications/notifier.js';
import type { OrganizationDirectory } from './organization-directory.js';
import {
  idempotencyKey,
  type AuthorisationRequest,
  type CaptureRequest,
  type PaymentProvider,
  type ProviderAnswer,
} from './payment-provider.js';
import type { PaymentNotice, PaymentRequest, ValidationResult } from './payment-request.js';

/** What lies outside: all that a payment needs besides the event store. */
export interface ProcessPorts {
  readonly organizations: OrganizationDirectory;
  readonly provider: PaymentProvider;
  readonly email: Notifier;
  readonly webhook: Notifier;
}

export interface ProcessActivitiesOptions extends ProcessPorts {
  /** Default: the activity's own, which adds workflow, run and attempt. */
  readonly logger?: ActivityLogger;
}

export type ProcessActivities = ReturnType<typeof createProcessActivities>;

const requestSchema = z.object({
  paymentId: z.string().min(1),
  correlationId: z.string().min(1),
  organizationId: z.string().min(1),
  userId: z.string().min(1),
  amount: z.object({ minorUnits: z.number(), currency: z.string() }),
  description: z.string(),
  email: z.email(),
});

/** The activities of `paymentWorkflow`. Each may be tried again: the keys and ids that it sends stay the same. */
export function createProcessActivities(options: ProcessActivitiesOptions) {
  const { organizations, provider, email, webhook, logger = log } = options;
  const answered = (step: string, paymentId: string, answer: ProviderAnswer): ProviderAnswer => {
    logger.info(`Provider answered to ${step}`, { paymentId, ...answer });
    return answer;
  };

  return {
    /** What is wrong with a request is a result; an error is only that it could not be found out. */
    async validatePayment(request: PaymentRequest): Promise<ValidationResult> {
      const reason = faultOf(request) ?? (await organizationFault(organizations, request));
      logger.info('Payment validated', { paymentId: request.paymentId, valid: reason === undefined, reason });
      return reason === undefined ? { valid: true } : { valid: false, reason };
    },

    async authorisePayment(request: Omit<AuthorisationRequest, 'idempotencyKey'>): Promise<ProviderAnswer> {
      const { paymentId } = request;
      const key = idempotencyKey(paymentId, 'authorise');
      return answered('authorise', paymentId, await provider.authorise({ ...request, idempotencyKey: key }));
    },

    async capturePayment(request: Omit<CaptureRequest, 'idempotencyKey'>): Promise<ProviderAnswer> {
      const { paymentId } = request;
      const key = idempotencyKey(paymentId, 'capture');
      return answered('capture', paymentId, await provider.capture({ ...request, idempotencyKey: key }));
    },

    /** Gives back what the provider holds of a payment. */
    async refundPayment(paymentId: string): Promise<void> {
      await provider.refund({ paymentId, idempotencyKey: idempotencyKey(paymentId, 'refund') });
      logger.info('Provider gave back', { paymentId });
    },

    async sendPaymentEmail(notice: PaymentNotice): Promise<void> {
      await email.send(notice);
      logger.info('E-mail sent', { paymentId: notice.paymentId });
    },

    async postPaymentWebhook(notice: PaymentNotice): Promise<void> {
      await webhook.send(notice);
      logger.info('Webhook posted', { paymentId: notice.paymentId });
    },
  };
}

function faultOf(request: PaymentRequest): string | undefined {
  const { data, error } = requestSchema.safeParse(request);
  if (data === undefined) return `Invalid request: ${z.prettifyError(error)}`;
  const { paymentId, amount } = data;
  if (!isPayable(amount)) return 'Invalid amount: it is a positive whole number of minor units';
  if (amount.currency === '') return 'Currency required';
  if (!isCurrency(amount.currency)) return `Invalid currency: ${amount.currency} is not an ISO 4217 code`;
  try {
    streamId(PaymentAggregate.category, paymentId);
  } catch (invalid) {
    if (isEventStoreError(invalid, 'INVALID_ARGUMENT')) return `Invalid payment id: ${invalid.message}`;
    throw invalid;
  }
  return undefined;
}

async function organizationFault(
  organizations: OrganizationDirectory,
  { organizationId }: PaymentRequest,
): Promise<string | undefined> {
  return (await organizations.exists(organizationId))
    ? undefined
    : `Organization not found: ${organizationId}`;
}
