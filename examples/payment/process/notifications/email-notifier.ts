import { ApplicationFailure } from '@temporalio/common';
import { createTransport } from 'nodemailer';
import { formatMoney } from '../../domain/money.js';
import { noticeId, type Notifier } from './notifier.js';

export interface EmailNotifierOptions {
  /** Of the mail server: `smtp://user:password@host:port`, or `smtps:`. */
  readonly url: string;
  /** Address of the sender. Its domain is also that of the message's id. */
  readonly from: string;
}

/** E-mail by SMTP. Its Message-ID is the same for every attempt, so that a mailbox can tell a repetition. */
export function emailNotifier({ url, from }: EmailNotifierOptions): Notifier {
  const transport = createTransport({
    url,
    // Shorter than the activity may take.
    connectionTimeout: 5_000,
    greetingTimeout: 5_000,
    socketTimeout: 8_000,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  const domain = from.slice(from.lastIndexOf('@') + 1);
  return {
    async send(notice) {
      const { paymentId, organizationId, amount, description, email } = notice;
      try {
        await transport.sendMail({
          from,
          // As an address and not as a list of them.
          to: { name: '', address: email },
          messageId: `<${noticeId(notice)}@${domain}>`,
          subject: `Payment ${paymentId}`,
          text: `${organizationId} has received ${formatMoney(amount)}.\n\n${description}\n`,
        });
      } catch (error) {
        throw isPermanent(error) ? ApplicationFailure.fromError(error, { nonRetryable: true }) : error;
      }
    },
  };
}

/** RFC 5321: a reply of 5xx is not to be tried again as it is. */
function isPermanent(error: unknown): boolean {
  const { responseCode } = error as { readonly responseCode?: number };
  return responseCode !== undefined && responseCode >= 500;
}
