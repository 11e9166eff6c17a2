import { createHmac } from 'node:crypto';

/** Prefix of a secret, before its base64. */
const prefix = 'whsec_';
/** Fewest and most bytes of a secret. */
const least = 24;
const most = 64;

/** The key in a secret of Standard Webhooks. @returns undefined when the secret is malformed */
export function webhookKeyOf(secret: unknown): Buffer | undefined {
  if (typeof secret !== 'string' || !secret.startsWith(prefix)) return undefined;
  const text = secret.slice(prefix.length);
  const key = Buffer.from(text, 'base64');
  const isWhole = key.toString('base64').replace(/=+$/, '') === text.replace(/=+$/, '');
  return isWhole && key.length >= least && key.length <= most ? key : undefined;
}

/**
 * The headers that tell a receiver who sent a message and when (https://www.standardwebhooks.com): one signature for
 * each key, so that a receiver needs only one of them.
 *
 * @param timestamp seconds since 1970
 */
export function webhookHeaders(
  keys: readonly Buffer[],
  id: string,
  timestamp: number,
  body: string,
): Readonly<Record<string, string>> {
  const signatures = keys.map(
    (key) => `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')}`,
  );
  return {
    'webhook-id': id,
    'webhook-timestamp': String(timestamp),
    'webhook-signature': signatures.join(' '),
  };
}
