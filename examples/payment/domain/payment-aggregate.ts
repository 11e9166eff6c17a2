import { AggregateRoot, DomainError } from 'temporal-event-store';
import { z } from 'zod';
import { formatMoney, isCurrency, isPayable, type Money } from './money.js';
import type { NotificationOutcome, PaymentDetails, PaymentEvent } from './payment-event.js';

const money = z.object({ minorUnits: z.number(), currency: z.string() });
/** What it takes to begin a payment. What an amount may be, the rules say. */
const details = z.object({ organizationId: z.string().min(1), amount: money, description: z.string() });
const reason = z.object({ reason: z.string().min(1) });

export type PaymentStatus =
  | 'new'
  | 'initiated'
  | 'authorised'
  | 'processed'
  | 'completed'
  | 'failed'
  | 'cancelled'
  | 'refunded'
  | 'deleted';

/** From which status a command may be given. */
const from: Record<string, readonly PaymentStatus[]> = {
  initiate: ['new'],
  authorise: ['initiated'],
  process: ['new'],
  capture: ['authorised'],
  complete: ['processed'],
  fail: ['initiated', 'authorised', 'processed'],
  cancel: ['initiated', 'authorised'],
  refund: ['processed', 'completed'],
  delete: ['processed', 'completed', 'failed', 'cancelled', 'refunded'],
};

/**
 * A payment and its life:
 *
 *     initiate → authorise → capture → complete → refund (in parts)
 *         │          │          │
 *         └──────────┴─ cancel  └─ fail, which is also for the two before
 *
 * `process` begins and captures at once. `delete` ends any payment under which a line was drawn.
 */
export class PaymentAggregate extends AggregateRoot<PaymentEvent> {
  static readonly category = 'Payment';
  /** What may be sent from outside. */
  static readonly commands = {
    initiate: details,
    authorise: z.object({ authorisationId: z.string().min(1) }),
    capture: true,
    process: details,
    complete: true,
    fail: reason,
    cancel: reason,
    refund: z.object({ amount: money, reason: z.string().min(1) }),
    recordNotification: z.object({
      channel: z.enum(['email', 'webhook']),
      outcome: z.enum(['sent', 'failed']),
      reason: z.string().optional(),
    }),
    delete: reason,
  };

  status: PaymentStatus = 'new';
  organizationId = '';
  description = '';
  /** XXX is ISO 4217's code for no currency. */
  amount: Money = { minorUnits: 0, currency: 'XXX' };
  /** Of the amount, in minor units. */
  refunded = 0;

  initiate(payment: PaymentDetails): void {
    this.#assertMay('initiate');
    this.raise({ type: 'PaymentInitiated', data: checked(payment), tags: tagsOf(payment.organizationId) });
  }

  authorise({ authorisationId }: { authorisationId: string }): void {
    this.#assertMay('authorise');
    this.raise({
      type: 'PaymentAuthorised',
      data: { authorisationId },
      tags: tagsOf(this.organizationId),
    });
  }

  /** Takes the money that was reserved. */
  capture(): void {
    this.#assertMay('capture');
    const { organizationId, amount, description } = this;
    this.raise({
      type: 'PaymentProcessed',
      data: { organizationId, amount, description },
      tags: tagsOf(organizationId),
    });
  }

  /** Works on a payment that does not exist yet: that is how it comes to exist. */
  process(payment: PaymentDetails): void {
    this.#assertMay('process');
    this.raise({ type: 'PaymentProcessed', data: checked(payment), tags: tagsOf(payment.organizationId) });
  }

  complete(): void {
    this.#assertMay('complete');
    this.raise({ type: 'PaymentCompleted', data: {}, tags: tagsOf(this.organizationId) });
  }

  fail({ reason }: { reason: string }): void {
    this.#assertMay('fail');
    this.raise({ type: 'PaymentFailed', data: { reason }, tags: tagsOf(this.organizationId) });
  }

  cancel({ reason }: { reason: string }): void {
    this.#assertMay('cancel');
    this.raise({ type: 'PaymentCancelled', data: { reason }, tags: tagsOf(this.organizationId) });
  }

  /** Gives money back, all of it or a part. */
  refund({ amount, reason }: { amount: Money; reason: string }): void {
    this.#assertMay('refund');
    assertPayable(amount);
    const { currency } = this.amount;
    const left = this.amount.minorUnits - this.refunded;
    if (amount.currency !== currency) {
      throw new DomainError(`Payment ${this.id} is in ${currency}, not in ${amount.currency}`, {
        reason: 'CURRENCY_MISMATCH',
      });
    }
    if (amount.minorUnits > left) {
      throw new DomainError(
        `Of payment ${this.id} there are ${formatMoney({ minorUnits: left, currency })} left to refund`,
        { reason: 'REFUND_TOO_LARGE', details: { left } },
      );
    }
    this.raise({ type: 'PaymentRefunded', data: { amount, reason }, tags: tagsOf(this.organizationId) });
  }

  /** Keeps how a notification went. It changes nothing about the payment. */
  recordNotification(outcome: NotificationOutcome): void {
    if (this.status === 'new') {
      throw new DomainError(`There is no payment ${this.id}`, { reason: 'NOT_FOUND' });
    }
    this.raise({ type: 'PaymentNotified', data: outcome, tags: tagsOf(this.organizationId) });
  }

  delete({ reason }: { reason: string }): void {
    this.#assertMay('delete');
    this.raise({ type: 'PaymentDeleted', data: { reason }, tags: tagsOf(this.organizationId) });
  }

  protected apply(event: PaymentEvent): void {
    switch (event.type) {
      case 'PaymentInitiated':
      case 'PaymentProcessed':
        this.status = event.type === 'PaymentInitiated' ? 'initiated' : 'processed';
        this.organizationId = event.data.organizationId;
        this.amount = event.data.amount;
        this.description = event.data.description;
        return;
      case 'PaymentAuthorised':
        this.status = 'authorised';
        return;
      case 'PaymentCompleted':
        this.status = 'completed';
        return;
      case 'PaymentFailed':
        this.status = 'failed';
        return;
      case 'PaymentCancelled':
        this.status = 'cancelled';
        return;
      case 'PaymentRefunded':
        this.refunded += event.data.amount.minorUnits;
        if (this.refunded === this.amount.minorUnits) this.status = 'refunded';
        return;
      case 'PaymentDeleted':
        this.status = 'deleted';
        return;
      case 'PaymentNotified':
        return;
    }
  }

  #assertMay(command: keyof typeof from): void {
    const allowed = from[command] ?? [];
    if (allowed.includes(this.status)) return;
    throw this.status === 'new'
      ? new DomainError(`There is no payment ${this.id}`, { reason: 'NOT_FOUND' })
      : new DomainError(`Payment ${this.id} is ${this.status} already: it can't ${command} any more`, {
          reason: 'NOT_ALLOWED',
          details: { status: this.status },
        });
  }
}

function checked(payment: PaymentDetails): PaymentDetails {
  assertPayable(payment.amount);
  return payment;
}

function assertPayable(amount: Money): void {
  if (!isPayable(amount)) {
    throw new DomainError('An amount is a positive whole number of minor units', {
      reason: 'INVALID_AMOUNT',
    });
  }
  if (!isCurrency(amount.currency)) {
    throw new DomainError('A currency is an ISO 4217 code', { reason: 'INVALID_CURRENCY' });
  }
}

/** So that all of an organisation is found. */
function tagsOf(organizationId: string): readonly string[] {
  return [`organization:${organizationId}`];
}
