import { AggregateRoot, DomainError, type DomainEvent } from 'temporal-event-store';
import { z } from 'zod';
import type { Money } from './money.js';

/** What it takes to process a payment. What an amount may be, the rules say. */
const paymentDetails = z.object({
  organizationId: z.string(),
  amount: z.object({ minorUnits: z.number(), currency: z.string() }),
  description: z.string(),
});

type PaymentProcessed = DomainEvent<
  'PaymentProcessed',
  { readonly organizationId: string; readonly amount: Money; readonly description: string }
>;

export type PaymentEvent = PaymentProcessed;

/** A payment: it is processed once. */
export class PaymentAggregate extends AggregateRoot<PaymentEvent> {
  static readonly category = 'Payment';
  /** What may be sent from outside. */
  static readonly commands = { process: paymentDetails };

  status: 'new' | 'processed' = 'new';
  organizationId = '';
  /** XXX is ISO 4217's code for no currency. */
  amount: Money = { minorUnits: 0, currency: 'XXX' };

  /** Works on a payment that does not exist yet: that is how it comes to exist. */
  process({ organizationId, amount, description }: z.infer<typeof paymentDetails>): void {
    if (this.status !== 'new') {
      throw new DomainError(`Payment ${this.id} is processed already`, { reason: 'ALREADY_PROCESSED' });
    }
    if (!Number.isSafeInteger(amount.minorUnits) || amount.minorUnits <= 0) {
      throw new DomainError('An amount is a positive whole number of minor units', {
        reason: 'INVALID_AMOUNT',
      });
    }
    if (!/^[A-Z]{3}$/.test(amount.currency)) {
      throw new DomainError('A currency is an ISO 4217 code', { reason: 'INVALID_CURRENCY' });
    }
    this.raise({
      type: 'PaymentProcessed',
      data: { organizationId, amount, description },
      tags: [`organization:${organizationId}`],
    });
  }

  protected apply(event: PaymentEvent): void {
    this.status = 'processed';
    this.organizationId = event.data.organizationId;
    this.amount = event.data.amount;
  }
}
