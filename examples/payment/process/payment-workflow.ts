import {
  ApplicationFailure,
  CancellationScope,
  executeChild,
  isCancellation,
  log,
  ParentClosePolicy,
  proxyActivities,
  rootCause,
  workflowInfo,
} from '@temporalio/workflow';
import { findEventStoreError, type EventMetadata } from 'temporal-event-store';
import { proxyAggregateClient } from 'temporal-event-store/workflow';
import { PaymentAggregate } from '../domain/payment-aggregate.js';
import type { NotificationOutcome, PaymentDetails } from '../domain/payment-event.js';
import { compensatePayment, type Compensation } from './compensation-workflow.js';
import type { PaymentNotice, PaymentOutcome, PaymentRequest } from './payment-request.js';
import type { ProcessActivities } from './process-activities.js';
import { compensationWorkflowId, paymentRetry } from './workflow-options.js';

const { validatePayment, authorisePayment, capturePayment, sendPaymentEmail, postPaymentWebhook } =
  proxyActivities<ProcessActivities>({ startToCloseTimeout: '10 seconds', retry: paymentRetry });
const payments = proxyAggregateClient(PaymentAggregate);
/** Not as long as the payment itself may take: that it was told is not worth as much. */
const records = proxyAggregateClient(PaymentAggregate, { scheduleToCloseTimeout: '1 minute' });

/**
 * A payment from validation to notification.
 *
 * What is refused is an outcome. When a step breaks down, or the workflow is cancelled before its end, the money is given
 * back first, and that is recorded. A notification that can't be delivered is recorded, and never fails the payment.
 *
 * @throws ApplicationFailure of type `PaymentBrokeDown`, when a step did; the payment is undone then
 */
export async function paymentWorkflow(request: PaymentRequest): Promise<PaymentOutcome> {
  const { paymentId, organizationId, amount, description, email } = request;
  const details = { organizationId, amount, description };
  const refused = (step: 'validate' | 'charge', message: string): PaymentOutcome => ({
    success: false,
    step,
    message,
    details,
  });

  const validation = await validatePayment(request);
  if (!validation.valid) return refused('validate', validation.reason);

  try {
    const refusal = await charge(request, details);
    if (refusal !== undefined) return refused('charge', refusal);
    const completedAt = new Date().toISOString();
    const notifications = await notify({ ...details, paymentId, email, completedAt }, metadataOf(request));
    return { success: true, message: 'Payment processed successfully', details, notifications };
  } catch (error) {
    const reason = isCancellation(error) ? 'The payment was cancelled' : (rootCause(error) ?? String(error));
    await compensate({ paymentId, reason, ending: isCancellation(error) ? 'cancel' : 'fail' });
    if (isCancellation(error)) throw error;
    const refusal = findEventStoreError(error, 'DOMAIN_ERROR');
    if (refusal !== undefined) return refused('charge', refusal.message);
    throw ApplicationFailure.create({
      type: 'PaymentBrokeDown',
      message: `Payment ${paymentId} broke down and was undone: ${reason}`,
      nonRetryable: true,
      ...(error instanceof Error && { cause: error }),
    });
  }
}

/**
 * Takes the money, and records each step after it happened.
 *
 * @returns why it was refused; undefined when it wasn't
 */
async function charge(request: PaymentRequest, details: PaymentDetails): Promise<string | undefined> {
  const { paymentId } = request;
  const options = { metadata: metadataOf(request) };
  await payments.execute(paymentId, 'initiate', details, options);

  const { amount, description } = details;
  const authorisation = await authorisePayment({ paymentId, amount, description });
  if (!authorisation.accepted) {
    const { reason } = authorisation;
    await payments.execute(paymentId, 'fail', { reason }, options);
    return reason;
  }
  const authorisationId = authorisation.reference;
  await payments.execute(paymentId, 'authorise', { authorisationId }, options);

  const capture = await capturePayment({ paymentId, authorisationId });
  if (!capture.accepted) {
    const { reason } = capture;
    await compensate({ paymentId, reason, ending: 'fail' });
    return reason;
  }
  await payments.execute(paymentId, 'capture', undefined, options);
  await payments.execute(paymentId, 'complete', undefined, options);
  return undefined;
}

/** Both at once: one that fails doesn't keep the other. */
async function notify(notice: PaymentNotice, metadata: EventMetadata): Promise<NotificationOutcome[]> {
  const { paymentId } = notice;
  const tell = async (
    channel: NotificationOutcome['channel'],
    send: () => Promise<void>,
  ): Promise<NotificationOutcome> => {
    const outcome = await send().then(
      () => ({ channel, outcome: 'sent' }) as const,
      (error: unknown) => {
        if (isCancellation(error)) throw error;
        return { channel, outcome: 'failed', reason: rootCause(error) ?? String(error) } as const;
      },
    );
    await records.execute(paymentId, 'recordNotification', outcome, { metadata }).catch((error: unknown) => {
      if (isCancellation(error)) throw error;
      log.error('A notification could not be recorded', { paymentId, channel, error });
    });
    return outcome;
  };
  return Promise.all([
    tell('email', () => sendPaymentEmail(notice)),
    tell('webhook', () => postPaymentWebhook(notice)),
  ]);
}

/** Goes on when the payment is cancelled, and when its time is up. */
async function compensate(compensation: Omit<Compensation, 'runId'>): Promise<void> {
  const { firstExecutionRunId: runId } = workflowInfo();
  await CancellationScope.nonCancellable(() =>
    executeChild(compensatePayment, {
      workflowId: compensationWorkflowId(compensation.paymentId),
      parentClosePolicy: ParentClosePolicy.ABANDON,
      args: [{ ...compensation, runId }],
    }),
  );
}

/** With the run, so that its payment can be told from one that began in another way. A retry and a reset keep it. */
function metadataOf({ correlationId, userId }: PaymentRequest): EventMetadata {
  const { workflowId, firstExecutionRunId: runId } = workflowInfo();
  return { correlationId, actor: userId, workflowId, runId };
}
