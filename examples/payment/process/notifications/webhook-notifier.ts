import { ApplicationFailure } from '@temporalio/common';
import { Webhook } from 'standardwebhooks';
import { InvalidArgumentError } from 'temporal-event-store';
import { noticeId, type Notifier } from './notifier.js';

export interface WebhookNotifierOptions {
  readonly url: string;
  /** Shared with the receiver, who verifies the signature with it: base64, with or without `whsec_` before it. */
  readonly secret: string;
  /** How long the receiver may take, in milliseconds; shorter than the activity may. Default 8,000. */
  readonly timeout?: number;
}

/**
 * A POST that is signed as https://www.standardwebhooks.com says. Its `webhook-id` is the same for every attempt.
 *
 * @throws InvalidArgumentError for a secret that isn't base64
 */
export function webhookNotifier({ url, secret, timeout = 8_000 }: WebhookNotifierOptions): Notifier {
  const webhook = signer(secret);
  return {
    async send(notice) {
      const { completedAt: timestamp, email: _, ...data } = notice;
      const body = JSON.stringify({ type: 'payment.completed', timestamp, data });
      const id = noticeId(notice);
      const now = new Date();
      const response = await fetch(url, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          'webhook-id': id,
          'webhook-timestamp': String(Math.floor(now.getTime() / 1_000)),
          'webhook-signature': webhook.sign(id, now, body),
        },
        body,
        signal: AbortSignal.timeout(timeout),
        redirect: 'error',
      });
      await response.body?.cancel();
      if (response.ok) return;
      throw ApplicationFailure.create({
        type: 'WebhookError',
        message: `The receiver of the webhook answered ${response.status}`,
        // Gone: the receiver wants no more.
        nonRetryable: response.status === 410,
      });
    },
  };
}

function signer(secret: string): Webhook {
  try {
    return new Webhook(secret);
  } catch {
    // Without the cause, which might say the secret.
    throw new InvalidArgumentError('The secret of the webhook is not base64.');
  }
}
