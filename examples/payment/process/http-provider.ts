import { ApplicationFailure } from '@temporalio/common';
import { z } from 'zod';
import type { PaymentProvider, ProviderAnswer } from './payment-provider.js';

export interface HttpProviderOptions {
  /** What the paths `authorisations`, `captures` and `refunds` are added to. */
  readonly url: string;
  /** How long an answer may take, in milliseconds; shorter than the activity may. Default 8,000. */
  readonly timeout?: number;
}

const answer = z.discriminatedUnion('accepted', [
  z.object({ accepted: z.literal(true), reference: z.string() }),
  z.object({ accepted: z.literal(false), reason: z.string() }),
]);

/**
 * A provider that is reached by HTTP: JSON by POST, with the header `Idempotency-Key`. It answers 200, or 402 when it
 * declines.
 */
export function httpProvider({ url, timeout = 8_000 }: HttpProviderOptions): PaymentProvider {
  const base = new URL(url.endsWith('/') ? url : `${url}/`);
  const post = async (path: string, request: { readonly idempotencyKey: string }): Promise<unknown> => {
    const { idempotencyKey, ...body } = request;
    const response = await fetch(new URL(path, base), {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        // Header values are ASCII, ids of payments need not be.
        'idempotency-key': encodeURIComponent(idempotencyKey),
      },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(timeout),
    });
    const text = await response.text();
    const failure = (nonRetryable: boolean): ApplicationFailure =>
      ApplicationFailure.create({
        type: 'ProviderError',
        message: `The payment provider answered ${response.status} to ${path}: ${text.slice(0, 200)}`,
        nonRetryable,
      });
    if (!response.ok && response.status !== 402) throw failure(isFinal(response.status));
    try {
      return JSON.parse(text);
    } catch {
      // Somebody in between has answered.
      throw failure(false);
    }
  };
  const ask = async (path: string, request: { readonly idempotencyKey: string }): Promise<ProviderAnswer> => {
    const { data, error } = answer.safeParse(await post(path, request));
    if (data !== undefined) return data;
    throw ApplicationFailure.nonRetryable(
      `The payment provider's answer to ${path} can't be read: ${z.prettifyError(error)}`,
      'ProviderError',
    );
  };
  return {
    authorise: (request) => ask('authorisations', request),
    capture: (request) => ask('captures', request),
    refund: async (request) => {
      await post('refunds', request);
    },
  };
}

/** The same request gets the same answer. 409 is a request with this key that is still being worked on. */
function isFinal(status: number): boolean {
  return status >= 400 && status < 500 && ![408, 409, 425, 429].includes(status);
}
