import type { WorkflowOptions } from '@temporalio/client';

/** How often a step is tried: 3 times, after 1 second, then 2. */
export const paymentRetry = {
  initialInterval: '1 second',
  maximumInterval: '60 seconds',
  backoffCoefficient: 2,
  maximumAttempts: 3,
} as const;

/** How long a payment may take. A workflow task may take 120 seconds: that is also the most that Temporal allows. */
const paymentTimeouts = {
  workflowExecutionTimeout: '600 seconds',
  workflowRunTimeout: '600 seconds',
  workflowTaskTimeout: '120 seconds',
} as const;

const prefix = 'payment-';

/** The workflow of a payment; one for each, so that asking twice pays once. */
export function paymentWorkflowId(paymentId: string): string {
  return prefix + paymentId;
}

/** @returns undefined for a workflow that is not of a payment */
export function paymentIdOf(workflowId: string): string | undefined {
  return workflowId.startsWith(prefix) ? workflowId.slice(prefix.length) : undefined;
}

/** The workflow that undoes a payment. */
export function compensationWorkflowId(paymentId: string): string {
  return `undo-payment-${paymentId}`;
}

/** Joins the payment's workflow while it runs, and never starts it again after it ended. */
export function paymentWorkflowOptions(paymentId: string) {
  return {
    workflowId: paymentWorkflowId(paymentId),
    workflowIdConflictPolicy: 'USE_EXISTING',
    workflowIdReusePolicy: 'REJECT_DUPLICATE',
    retry: paymentRetry,
    ...paymentTimeouts,
  } as const satisfies Omit<WorkflowOptions, 'taskQueue'>;
}
