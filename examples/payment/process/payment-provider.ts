import type { Money } from '../domain/money.js';

/** What a provider says to a request. A decline is an answer; that there is none is an error. */
export type ProviderAnswer =
  | { readonly accepted: true; readonly reference: string }
  | { readonly accepted: false; readonly reason: string };

interface ProviderRequest {
  /** With the same key, a request has one effect and one answer, however often it is sent. */
  readonly idempotencyKey: string;
  readonly paymentId: string;
}

export interface AuthorisationRequest extends ProviderRequest {
  readonly amount: Money;
  readonly description: string;
}

export interface CaptureRequest extends ProviderRequest {
  /** The reference of the authorisation. */
  readonly authorisationId: string;
}

/** Moves the money: a bank, or a service before it. */
export interface PaymentProvider {
  /** Reserves the money. */
  authorise(request: AuthorisationRequest): Promise<ProviderAnswer>;
  /** Takes what was reserved. */
  capture(request: CaptureRequest): Promise<ProviderAnswer>;
  /**
   * Gives back what a payment holds, reserved or taken, and lets it hold no more. It goes by the payment's id, for
   * whoever undoes a payment may not have heard of its authorisation. Nothing, where there is nothing.
   */
  refund(request: ProviderRequest): Promise<void>;
}

/** The keys of a payment: one for each thing that may happen to its money once. */
export function idempotencyKey(paymentId: string, step: 'authorise' | 'capture' | 'refund'): string {
  return `${paymentId}:${step}`;
}
