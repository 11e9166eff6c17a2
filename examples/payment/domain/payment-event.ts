import type { DomainEvent } from 'temporal-event-store';
import type { Money } from './money.js';

/** What is paid, to whom and for what. */
export interface PaymentDetails {
  readonly organizationId: string;
  readonly amount: Money;
  readonly description: string;
}

/** How a notification of a receiver went. */
export interface NotificationOutcome {
  readonly channel: 'email' | 'webhook';
  readonly outcome: 'sent' | 'failed';
  /** Why it failed. */
  readonly reason?: string;
}

export type PaymentEvent =
  | DomainEvent<'PaymentInitiated', PaymentDetails>
  /** The provider has reserved the money. */
  | DomainEvent<'PaymentAuthorised', { readonly authorisationId: string }>
  /** The money is taken: the event of the article, which also begins a payment that needs no authorisation. */
  | DomainEvent<'PaymentProcessed', PaymentDetails>
  | DomainEvent<'PaymentCompleted', object>
  | DomainEvent<'PaymentFailed', { readonly reason: string }>
  | DomainEvent<'PaymentCancelled', { readonly reason: string }>
  | DomainEvent<'PaymentRefunded', { readonly amount: Money; readonly reason: string }>
  | DomainEvent<'PaymentNotified', NotificationOutcome>
  /** Gone from every query, and kept in the log. */
  | DomainEvent<'PaymentDeleted', { readonly reason: string }>;
