import { Context } from '@temporalio/activity';
import { InvalidArgumentError, TryAgainLaterError } from '../../../core/errors/errors.js';
import { toCloudEvent } from '../../../core/events/cloud-event.js';
import type { RecordedEvent } from '../../../core/events/event.js';
import type { EventPublisher } from '../../../core/projections/publisher.js';
import {
  assertOptions,
  integerFrom,
  isName,
  isPlainObject,
  type OptionCheck,
} from '../../../core/store/options.js';
import { isInActivity } from '../logged.js';
import { retryAfterOf } from './retry-after.js';
import { webhookHeaders, webhookKeyOf } from './webhook-signature.js';

export interface WebhookPublisherOptions {
  /** `https:` or `http:`, without user and password. */
  readonly url: string | URL;
  /**
   * `whsec_` and the base64 of 24 to 64 random bytes. Every message is signed with each: while a secret is changed, list the
   * new one and the old one.
   */
  readonly secrets: readonly string[];
  /** The `source` of the CloudEvents, a URI reference. Default: `/` and the category of the stream. */
  readonly source?: string;
  /** Sent beside those of the message, such as `authorization`. Default: none. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Milliseconds for one request, with its answer. Default 15,000. */
  readonly timeout?: number;
  /** Milliseconds between attempts, which grow from the first to the longest. Default 1,000 and 300,000. */
  readonly backoff?: { readonly first?: number; readonly longest?: number };
}

/** Statuses that don't blame the event, beside 5xx: timeout, too early, too many requests. */
const passingStatuses = [408, 425, 429];

/** A longer answer costs the connection. */
const maxAnswerBytes = 64 * 1024;

/**
 * Posts each event to one endpoint, one after the other: a CloudEvent 1.0 in structured mode, signed by Standard Webhooks.
 * A 2xx is a delivery. A timeout, a network error, 408, 425, 429 and 5xx are tried again for as long as it takes, with
 * pauses that grow. Any other answer, also a redirect, counts against the event.
 *
 * @example
 * const toShop = definePublisher({
 *   name: 'webhook-shop',
 *   publisher: new WebhookPublisher({ url: 'https://shop.example/events', secrets: [secret] }),
 * });
 */
export class WebhookPublisher implements EventPublisher {
  readonly #url: URL;
  readonly #keys: readonly Buffer[];
  readonly #source: { readonly source?: string };
  readonly #headers: Headers;
  readonly #timeout: number;
  readonly #firstPause: number;
  readonly #longestPause: number;
  /** Attempts in a row that failed through no fault of an event. */
  #failures = 0;
  /** Before this time, in milliseconds since 1970, the endpoint is left alone. */
  #closedUntil = 0;

  /** @throws InvalidArgumentError for a missing, unknown or malformed option; it shows no secret */
  constructor(options: WebhookPublisherOptions) {
    assertOptions(
      'WebhookPublisher',
      options,
      {
        url: isGiven,
        secrets: isGiven,
        source: isName,
        headers: isPlainObject,
        timeout: integerFrom(1),
        backoff: isPlainObject,
      },
      ['url', 'secrets'],
    );
    assertOptions('the backoff', options.backoff, { first: integerFrom(1), longest: integerFrom(1) });
    const { url, secrets, source, headers, timeout = 15_000, backoff } = options;
    this.#url = checkUrl(url);
    this.#keys = checkSecrets(secrets);
    this.#source = source === undefined ? {} : { source };
    this.#headers = checkHeaders(headers);
    this.#timeout = timeout;
    this.#firstPause = backoff?.first ?? 1_000;
    this.#longestPause = backoff?.longest ?? 300_000;
  }

  async publish(events: readonly RecordedEvent[]): Promise<void> {
    for (const [done, event] of events.entries()) await this.#deliver(event, done);
  }

  async #deliver(event: RecordedEvent, done: number): Promise<void> {
    const wait = this.#closedUntil - Date.now();
    if (wait > 0) throw new TryAgainLaterError(`${this.#name} rests.`, { retryAfter: wait, done });
    let response: Response;
    try {
      response = await this.#post(event);
    } catch (error) {
      if (isInActivity()) Context.current().cancellationSignal.throwIfAborted();
      throw this.#later(describeFailure(error, this.#timeout), 0, done);
    }
    const { status, ok, headers } = response;
    if (passingStatuses.includes(status) || status >= 500) {
      throw this.#later(`answered ${status}`, retryAfterOf(headers.get('retry-after'), Date.now()), done);
    }
    this.#failures = 0;
    if (ok) return;
    const message = `${this.#name} answered ${status} to the event ${event.type} ${event.id}.`;
    // Those before it are not to be posted again.
    if (done > 0) throw new TryAgainLaterError(message, { retryAfter: 0, done });
    throw new Error(message);
  }

  async #post(event: RecordedEvent): Promise<Response> {
    const body = JSON.stringify(toCloudEvent(event, this.#source));
    const headers = new Headers(this.#headers);
    headers.set('content-type', 'application/cloudevents+json; charset=utf-8');
    const signed = webhookHeaders(this.#keys, event.id, Math.floor(Date.now() / 1_000), body);
    for (const [name, value] of Object.entries(signed)) headers.set(name, value);
    const timeout = AbortSignal.timeout(this.#timeout);
    const response = await fetch(this.#url, {
      method: 'POST',
      headers,
      body,
      redirect: 'manual',
      signal: isInActivity() ? AbortSignal.any([timeout, Context.current().cancellationSignal]) : timeout,
    });
    await drain(response);
    return response;
  }

  #later(what: string, wanted: number, done: number): TryAgainLaterError {
    const pause = Math.min(this.#firstPause * 2 ** this.#failures, this.#longestPause);
    this.#failures++;
    // So that those who fail together don't come back together.
    const retryAfter = Math.max(pause * (0.5 + Math.random() / 2), wanted);
    this.#closedUntil = Date.now() + retryAfter;
    return new TryAgainLaterError(`${this.#name} ${what}.`, { retryAfter, done });
  }

  /** Without path and query, in which there may be a secret. */
  get #name(): string {
    return `The webhook at ${this.#url.origin}`;
  }
}

/** Reads a short answer to its end, so that the connection serves again. What it says may be anything, and is told to nobody. */
async function drain({ body }: Response): Promise<void> {
  let bytes = 0;
  try {
    for await (const chunk of body ?? []) {
      bytes += (chunk as Uint8Array).length;
      if (bytes > maxAnswerBytes) break;
    }
  } catch {
    // The status has come.
  }
}

/** What it is, is checked where it can't be shown. */
const isGiven: OptionCheck = (value) => (value === undefined ? 'given' : undefined);

function checkUrl(url: unknown): URL {
  const parsed = URL.canParse(String(url)) ? new URL(String(url)) : undefined;
  const isWeb = parsed?.protocol === 'https:' || parsed?.protocol === 'http:';
  if (parsed !== undefined && isWeb && parsed.username === '' && parsed.password === '') return parsed;
  throw new InvalidArgumentError(
    `The option 'url' of WebhookPublisher must be a URL of https: or http: without user and password; put credentials into 'headers'.`,
  );
}

function checkSecrets(secrets: unknown): readonly Buffer[] {
  const keys = Array.isArray(secrets) ? secrets.map(webhookKeyOf).filter((key) => key !== undefined) : [];
  if (Array.isArray(secrets) && keys.length > 0 && keys.length === secrets.length) return keys;
  throw new InvalidArgumentError(
    `The option 'secrets' of WebhookPublisher must be a list of at least one; each 'whsec_' and the base64 of 24 to 64 bytes.`,
  );
}

function checkHeaders(given: Readonly<Record<string, string>> = {}): Headers {
  const headers = new Headers({ 'user-agent': 'temporal-event-store' });
  for (const [name, value] of Object.entries(given)) {
    if (/^(webhook-|ce-|content-type$|host$)/i.test(name)) {
      throw new InvalidArgumentError(
        `The header '${name}' is part of the message; leave it out of 'headers'.`,
      );
    }
    try {
      headers.set(name, value);
    } catch {
      throw new InvalidArgumentError(`In the option 'headers' of WebhookPublisher, '${name}' can't be sent.`);
    }
  }
  return headers;
}

/** What went wrong before there was an answer. The error of the network names the host at most. */
function describeFailure(error: unknown, timeout: number): string {
  const { name, cause } = error as Error;
  if (name === 'TimeoutError') return `gave no answer in ${timeout} ms`;
  const code = (cause as { readonly code?: unknown } | undefined)?.code;
  return `can't be reached${typeof code === 'string' ? ` (${code})` : ''}`;
}
