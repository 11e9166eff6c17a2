import { createHash } from 'node:crypto';
import type { PaymentNotice } from '../payment-request.js';

/** Tells a receiver of a payment. It may be asked again, with the same notice. */
export interface Notifier {
  send(notice: PaymentNotice): Promise<void>;
}

/** The same for every attempt to tell of a payment, so that the receiver knows it has been told. */
export function noticeId({ paymentId }: PaymentNotice): string {
  // A payment's id may hold what neither a header nor a Message-ID may.
  return `payment.completed.${createHash('sha256').update(paymentId).digest('hex').slice(0, 32)}`;
}
