import type { Money } from '../domain/money.js';

export interface ProcessPayment {
  /** The same for every repetition of this command: it makes the payment happen once. */
  readonly commandId: string;
  /** The same for all that belongs to one business case. */
  readonly correlationId: string;
  readonly paymentId: string;
  readonly organizationId: string;
  readonly userId: string;
  readonly amount: Money;
  readonly description: string;
}

/** A business rule that says no is a result, not a failure. */
export type PaymentResult =
  | { readonly success: true; readonly version: number; readonly deduplicated: boolean }
  | { readonly success: false; readonly reason: string };
