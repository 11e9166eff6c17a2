import type { AnyProjection, EventStore } from 'temporal-event-store';
import type { ProjectionClient } from 'temporal-event-store/client';
import type { SqlClient } from 'temporal-event-store/postgres';
import type { ReadModelDatabase } from '../../read-model-database.js';
import { PaymentAggregate } from '../domain/payment-aggregate.js';
import { countPayments, findPayments, type PaymentPage, type PaymentQuery } from './find-payments.js';
import { findTotals, type DailyTotal, type TotalsQuery } from './find-totals.js';
import { paymentsProjection, paymentsReadModel } from './payments-projection.js';
import { totalsProjection, totalsReadModel } from './totals-projection.js';

/** The projections of the payment service, for its worker. */
export function paymentProjections({ sink }: ReadModelDatabase): readonly AnyProjection[] {
  return [paymentsProjection(sink), totalsProjection(sink)];
}

/** Has the worker run them, if it doesn't yet. */
export async function startPaymentProjections(projections: ProjectionClient): Promise<void> {
  await Promise.all([projections.start(paymentsReadModel), projections.start(totalsReadModel)]);
}

/** Ends them; they go on from there when they are started again. */
export async function stopPaymentProjections(projections: ProjectionClient): Promise<void> {
  await Promise.all([projections.stop(paymentsReadModel), projections.stop(totalsReadModel)]);
}

export interface PaymentReaderOptions {
  readonly store: EventStore;
  readonly client: SqlClient;
  readonly projections: ProjectionClient;
  /** Milliseconds that a query waits for its read model. Default 10,000. */
  readonly timeout?: number;
}

/**
 * Queries that see all that was stored before they were asked: each waits until its read model has come so far. Who can live
 * with a moment's delay calls `findPayments` and the others directly.
 *
 * Every method throws ProjectionBehindError when the read model doesn't get there in time.
 */
export class PaymentReader {
  readonly #options: PaymentReaderOptions;

  constructor(options: PaymentReaderOptions) {
    this.#options = options;
  }

  async payments(query: PaymentQuery = {}): Promise<PaymentPage> {
    await this.#catchUp(paymentsReadModel);
    return findPayments(this.#options.client, query);
  }

  async count(): Promise<number> {
    await this.#catchUp(paymentsReadModel);
    return countPayments(this.#options.client);
  }

  async totals(query: TotalsQuery = {}): Promise<readonly DailyTotal[]> {
    await this.#catchUp(totalsReadModel);
    return findTotals(this.#options.client, query);
  }

  async #catchUp(name: string): Promise<void> {
    const { store, projections, timeout = 10_000 } = this.#options;
    const filter = { categories: [PaymentAggregate.category] };
    const { events } = await store.readAll({ direction: 'backward', limit: 1, filter });
    await projections.waitFor(name, events[0]?.position ?? 0, { timeout });
  }
}
