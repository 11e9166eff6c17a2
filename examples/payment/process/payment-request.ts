import type { ProcessPayment } from '../commands/payment-command.js';
import type { NotificationOutcome, PaymentDetails } from '../domain/payment-event.js';

/** A payment to be made, from validation to notification. */
export interface PaymentRequest extends Omit<ProcessPayment, 'commandId'> {
  /** Who is told by e-mail. */
  readonly email: string;
}

/** What a payment came to. What the rules or the provider refuse is an outcome; what breaks down is an error. */
export type PaymentOutcome = {
  readonly message: string;
  /** Of the payment that this is about, so that a repetition can be told from another request under its id. */
  readonly details: PaymentDetails;
} & (
  | { readonly success: true; readonly notifications: readonly NotificationOutcome[] }
  | { readonly success: false; readonly step: 'validate' | 'charge' }
);

export type ValidationResult = { readonly valid: true } | { readonly valid: false; readonly reason: string };

/** What a receiver of notifications is told. */
export interface PaymentNotice extends PaymentDetails {
  readonly paymentId: string;
  readonly email: string;
  /** ISO 8601 in UTC. */
  readonly completedAt: string;
}
