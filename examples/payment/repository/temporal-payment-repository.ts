import { isGrpcServiceError, ServiceError, WorkflowFailedError, type Client } from '@temporalio/client';
import {
  AggregateRepository,
  findEventStoreError,
  StoreUnavailableError,
  type EventMetadata,
} from 'temporal-event-store';
import { cachingEventStore } from 'temporal-event-store/cache';
import { TemporalEventStore } from 'temporal-event-store/client';
import { PaymentAggregate } from '../domain/payment-aggregate.js';
import type { PaymentSummary } from '../read-models/find-payments.js';
import type { deletePayment, persistPayment } from './payment-persistence-workflow.js';
import type { countPayments, searchPayments } from './payment-search-workflow.js';

export interface TemporalPaymentRepositoryOptions {
  readonly client: Client;
  /** Of a worker of the payment service, with its read models. */
  readonly taskQueue: string;
  /** Milliseconds that the events of a payment are kept after they were read in full. Default 300,000. */
  readonly cacheTtl?: number;
  /** Milliseconds after which a workflow that nobody has answered ends. Default 60,000. */
  readonly timeout?: number;
}

export interface SavePaymentOptions {
  /** Makes the save exactly-once: give the same one when you try again. Default: random. */
  readonly commitId?: string;
  readonly metadata?: EventMetadata;
}

/** Rows that a search workflow gives at a time, so that its result stays small. */
const pageSize = 500;

/**
 * The payments, for a service that has a Temporal client and no database.
 *
 * What it has read of a payment it keeps, and it is never stale: each read asks the store for the last kept event and those
 * after it. Searches wait until the read model holds all that is stored.
 *
 * An error is an error, never an empty result. Every method throws StoreUnavailableError when Temporal or the worker gives no
 * answer; it carries the commit id to try again with.
 */
export class TemporalPaymentRepository {
  readonly #client: Client;
  readonly #taskQueue: string;
  readonly #timeout: number;
  readonly #payments: AggregateRepository<PaymentAggregate>;

  constructor({ client, taskQueue, cacheTtl = 300_000, timeout = 60_000 }: TemporalPaymentRepositoryOptions) {
    this.#client = client;
    this.#taskQueue = taskQueue;
    this.#timeout = timeout;
    const store = cachingEventStore(new TemporalEventStore({ client, taskQueue }), { ttl: cacheTtl });
    this.#payments = new AggregateRepository(store, PaymentAggregate);
  }

  /**
   * Stores what was raised since the payment was loaded, if nobody has changed it since.
   *
   * @returns the version of the payment
   * @throws VersionConflictError when another was faster; the payment keeps its events: load it again and decide again
   * @throws CommitMismatchError when the commit id was used for something else
   */
  async save(payment: PaymentAggregate, options: SavePaymentOptions = {}): Promise<number> {
    const { id, version, uncommittedEvents: events } = payment;
    if (events.length === 0) return version;
    const { commitId = crypto.randomUUID(), metadata } = options;
    await this.#run<typeof persistPayment>(
      'persistPayment',
      {
        paymentId: id,
        events,
        expectedVersion: version,
        commitId,
        ...(metadata !== undefined && { metadata }),
      },
      commitId,
    );
    payment.markEventsAsCommitted();
    return payment.version;
  }

  /** The payment as it is stored; undefined when there is none, or it was deleted. */
  async findById(id: string): Promise<PaymentAggregate | undefined> {
    const payment = await this.#payments.find(id);
    return payment?.status === 'deleted' ? undefined : payment;
  }

  /** All payments of an organisation, by their ids. */
  async findByOrganization(organizationId: string): Promise<readonly PaymentSummary[]> {
    const found: PaymentSummary[] = [];
    let after: string | undefined;
    do {
      const query = { organizationId, limit: pageSize, ...(after !== undefined && { after }) };
      const page = await this.#run<typeof searchPayments>('searchPayments', query);
      found.push(...page.payments);
      after = page.next;
    } while (after !== undefined);
    return found;
  }

  /**
   * Takes a payment out of every query. Its events stay in the log.
   *
   * @throws DomainError when there is no such payment, it is under way, or it was deleted already
   */
  async delete(id: string, options: { readonly reason: string; readonly commandId?: string }): Promise<void> {
    const { reason, commandId = crypto.randomUUID() } = options;
    await this.#run<typeof deletePayment>('deletePayment', { paymentId: id, reason, commandId }, commandId);
  }

  /** How many payments there are, without the deleted ones. */
  async count(): Promise<number> {
    return this.#run<typeof countPayments>('countPayments');
  }

  /** Runs a workflow of the worker. A name of its own for each run: what makes a write exactly-once is its commit id. */
  async #run<Workflow extends (input: never) => Promise<unknown>>(
    workflowType: string,
    input?: Parameters<Workflow>[0],
    commitId?: string,
  ): Promise<Awaited<ReturnType<Workflow>>> {
    try {
      return await this.#client.workflow.execute<(input: unknown) => Promise<Awaited<ReturnType<Workflow>>>>(
        workflowType,
        {
          taskQueue: this.#taskQueue,
          workflowId: `payment-repository/${workflowType}/${crypto.randomUUID()}`,
          workflowExecutionTimeout: this.#timeout,
          args: [input],
        },
      );
    } catch (error) {
      throw findEventStoreError(error) ?? (isUnanswered(error) ? unavailable(commitId, error) : error);
    }
  }
}

/** Whether nobody knows what became of it. */
function isUnanswered(error: unknown): boolean {
  return (
    error instanceof ServiceError ||
    isGrpcServiceError(error) ||
    (error instanceof WorkflowFailedError && error.cause?.name === 'TimeoutFailure')
  );
}

function unavailable(commitId: string | undefined, cause: unknown): StoreUnavailableError {
  const again = commitId === undefined ? 'Try again.' : `Try again with the commit id '${commitId}'.`;
  return new StoreUnavailableError(`No answer from the payment service. ${again}`, { commitId, cause });
}
