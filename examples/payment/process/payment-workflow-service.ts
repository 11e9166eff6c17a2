import { isDeepStrictEqual } from 'node:util';
import {
  WorkflowExecutionAlreadyStartedError,
  WorkflowFailedError,
  type Client,
  type WorkflowHandle,
} from '@temporalio/client';
import { LRUCache } from 'lru-cache';
import { InvalidArgumentError } from 'temporal-event-store';
import type { compensatePayment } from './compensation-workflow.js';
import type { PaymentOutcome, PaymentRequest } from './payment-request.js';
import type { paymentWorkflow } from './payment-workflow.js';
import { compensationWorkflowId, paymentIdOf, paymentWorkflowOptions } from './workflow-options.js';

export interface PaymentWorkflowServiceOptions {
  readonly client: Client;
  /** That of the payment workers. */
  readonly taskQueue: string;
  /** How many handles of workflows are kept. Default 1,000. */
  readonly cachedHandles?: number;
}

export interface PaymentWorkflowStatus {
  readonly workflowId: string;
  /** `failed`, `timedOut` and `terminated`: it broke down. A payment that was refused has `completed`. */
  readonly status: 'running' | 'completed' | 'failed' | 'cancelled' | 'terminated' | 'timedOut';
  readonly isRunning: boolean;
  readonly isCompleted: boolean;
  readonly isFailed: boolean;
}

/** Another request was made under the id of this payment. */
export class PaymentMismatchError extends Error {
  override readonly name = 'PaymentMismatchError';

  constructor(readonly paymentId: string) {
    super(`The payment id '${paymentId}' was used for another payment. Give each payment an id of its own.`);
  }
}

type PaymentHandle = WorkflowHandle<typeof paymentWorkflow>;

const statuses: Record<string, PaymentWorkflowStatus['status']> = {
  COMPLETED: 'completed',
  FAILED: 'failed',
  CANCELLED: 'cancelled',
  TERMINATED: 'terminated',
  TIMED_OUT: 'timedOut',
};

/** Makes payments from any service with a Temporal client. */
export class PaymentWorkflowService {
  readonly #client: Client;
  readonly #taskQueue: string;
  readonly #handles: LRUCache<string, PaymentHandle>;

  constructor({ client, taskQueue, cachedHandles = 1_000 }: PaymentWorkflowServiceOptions) {
    this.#client = client;
    this.#taskQueue = taskQueue;
    this.#handles = new LRUCache({ max: cachedHandles });
  }

  /**
   * Makes a payment and waits for its outcome. Asked again with the payment's id, it joins the first: also after that has
   * ended, for as long as Temporal remembers it. After that the payment itself refuses.
   *
   * @throws PaymentMismatchError when the id was used for another payment
   * @throws WorkflowFailedError, of Temporal, when the payment broke down or was cancelled
   * @throws InvalidArgumentError without an id
   */
  async process(request: PaymentRequest): Promise<PaymentOutcome> {
    const { paymentId, organizationId, amount, description } = request;
    if (typeof paymentId !== 'string' || paymentId === '') {
      throw new InvalidArgumentError('A payment needs an id that is not empty.');
    }
    const handle = await this.#start(request);
    const outcome = await handle.result();
    const details: unknown = JSON.parse(JSON.stringify({ organizationId, amount, description }));
    if (!isDeepStrictEqual(outcome.details, details)) throw new PaymentMismatchError(paymentId);
    return outcome;
  }

  /** @throws WorkflowNotFoundError, of Temporal, for a workflow that it doesn't know */
  async status(workflowId: string): Promise<PaymentWorkflowStatus> {
    const { status } = await this.#handle(workflowId).describe();
    const name = statuses[status.name] ?? 'running';
    return {
      workflowId,
      status: name,
      isRunning: name === 'running',
      isCompleted: name === 'completed',
      isFailed: name === 'failed' || name === 'timedOut' || name === 'terminated',
    };
  }

  /**
   * Cancels a payment, and waits until its money is given back. One whose time was up, or that was terminated, is undone as
   * well. One that has ended stays as it is; refund it.
   *
   * @returns how the workflow ended
   * @throws WorkflowNotFoundError, of Temporal, for a workflow that it doesn't know
   * @throws InvalidArgumentError for the workflow of something else than a payment
   */
  async cancel(workflowId: string): Promise<PaymentWorkflowStatus> {
    const paymentId = paymentIdOf(workflowId);
    if (paymentId === undefined) {
      throw new InvalidArgumentError(`'${workflowId}' is not the workflow of a payment.`);
    }
    const { isRunning } = await this.status(workflowId);
    if (isRunning) {
      const handle = this.#handle(workflowId);
      await handle.cancel();
      await handle.result().catch((error: unknown) => {
        if (!(error instanceof WorkflowFailedError)) throw error;
      });
    }
    const ended = await this.status(workflowId);
    if (ended.status === 'timedOut' || ended.status === 'terminated') {
      const { runId, raw } = await this.#handle(workflowId).describe();
      await this.#client.workflow.execute<typeof compensatePayment>('compensatePayment', {
        taskQueue: this.#taskQueue,
        workflowId: compensationWorkflowId(paymentId),
        workflowIdConflictPolicy: 'USE_EXISTING',
        args: [
          {
            paymentId,
            // eslint-disable-next-line @typescript-eslint/prefer-nullish-coalescing -- empty where the server doesn't say it
            runId: raw.workflowExecutionInfo?.firstRunId || runId,
            ending: 'cancel',
            reason: 'The payment was cancelled',
          },
        ],
      });
    }
    return ended;
  }

  async #start(request: PaymentRequest): Promise<PaymentHandle> {
    const options = paymentWorkflowOptions(request.paymentId);
    try {
      return await this.#client.workflow.start<typeof paymentWorkflow>('paymentWorkflow', {
        taskQueue: this.#taskQueue,
        args: [request],
        ...options,
      });
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
      return this.#handle(options.workflowId);
    }
  }

  /** It names the workflow and knows nothing about it, so it can't be stale. */
  #handle(workflowId: string): PaymentHandle {
    let handle = this.#handles.get(workflowId);
    if (handle === undefined) {
      handle = this.#client.workflow.getHandle<typeof paymentWorkflow>(workflowId);
      this.#handles.set(workflowId, handle);
    }
    return handle;
  }
}
