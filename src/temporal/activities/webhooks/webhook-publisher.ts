import { Context } from '@temporalio/activity';
import { InvalidArgumentError } from '../../../core/errors/invalid-argument-error.js';
import { RetryLaterError } from '../../../core/errors/retry-later-error.js';
import { toCloudEvent } from '../../../core/events/cloud-event.js';
import type { RecordedEvent } from '../../../core/events/event.js';
import {
  assertOptions,
  integerFrom,
  isName,
  isPlainObject,
  type OptionCheck,
} from '../../../core/options/options.js';
import type { EventPublisher, PublishLimits } from '../../../core/projections/publisher.js';
import { pauseAfter, type Backoff } from '../../../core/values/backoff.js';
import { isInActivity } from '../logged.js';
import { blamedFor } from './blamed-for.js';
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
  /** Sent in addition to the message's own headers, such as `authorization`. Default: none. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Milliseconds for one request, with its answer. Default 15,000. A publisher's `handlerTimeout` must be longer. */
  readonly timeout?: number;
  /** Milliseconds between attempts, which grow from the first to the longest. Default 1,000 and 300,000. */
  readonly backoff?: { readonly first?: number; readonly longest?: number };
  /**
   * Milliseconds for which events are retried after answers about the endpoint (401, 403, 404, 405, 410 and the
   * like), counted from the first in a row. Such answers then count against the event, and the publisher stops.
   * Default 86,400,000, a day.
   */
  readonly endpointErrorsFor?: number;
}

/** The last time that a Date can hold. */
const lastDate = 8.64e15;

/** A longer answer closes the connection. */
const maxAnswerBytes = 64 * 1024;

/**
 * Posts each event to one endpoint, one after the other: a CloudEvent 1.0 in structured mode, signed by Standard
 * Webhooks. A 2xx is a delivery. A timeout, a network error, 408, 425, 429 and 5xx are retried for as long as it
 * takes, with growing pauses; answers about the endpoint and not the event, such as 404, for `endpointErrorsFor`.
 * 400, 409, 413, 422 and redirects count against the event.
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
  readonly #backoff: Backoff;
  readonly #endpointErrorsFor: number;
  /** Start of the current run of answers about the endpoint, in milliseconds since 1970. */
  #refusedSince: number | undefined;
  /** Number of failed attempts in a row that no event is to blame for. */
  #failures = 0;
  /** What the endpoint did at the last of these attempts. */
  #reason = '';
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
        endpointErrorsFor: integerFrom(0),
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
    this.#backoff = {
      first: backoff?.first ?? 1_000,
      longest: backoff?.longest ?? 300_000,
      jitter: { part: 0.5, random: Math.random },
    };
    this.#endpointErrorsFor = options.endpointErrorsFor ?? 24 * 60 * 60_000;
  }

  async publish(events: readonly RecordedEvent[], limits?: PublishLimits): Promise<void> {
    const startedAt = Date.now();
    // A request begun at the limit may still take its whole time-out.
    const longest = (limits?.timeout ?? Infinity) - 2 * this.#timeout;
    for (const [done, event] of events.entries()) {
      if (done > 0 && Date.now() - startedAt > longest) {
        const message = `${this.#name} takes its time: ${done} events in ${Date.now() - startedAt} ms. It goes on.`;
        throw new RetryLaterError(message, { retryAfter: 0, done });
      }
      await this.#deliver(event, done);
    }
  }

  async #deliver(event: RecordedEvent, done: number): Promise<void> {
    const wait = this.#closedUntil - Date.now();
    if (wait > 0) {
      throw new RetryLaterError(`${this.#name} rests: it ${this.#reason}.`, { retryAfter: wait, done });
    }
    let response: Response;
    try {
      response = await this.#post(event);
    } catch (error) {
      if (isInActivity()) Context.current().cancellationSignal.throwIfAborted();
      this.#refusedSince = undefined;
      throw this.#later(describeFailure(error, this.#timeout), 0, done);
    }
    const { status, headers } = response;
    const blamed = blamedFor(status);
    const wanted = retryAfterOf(headers.get('retry-after'), Date.now());
    if (blamed === 'endpoint') this.#assertCounts(status, wanted, done);
    else this.#refusedSince = undefined;
    if (blamed === 'time') throw this.#later(`answered ${status}`, wanted, done);
    this.#failures = 0;
    if (blamed === 'nobody') return;
    const message = `${this.#name} answered ${status} to the event ${event.type} ${event.id}.`;
    // Earlier events must not be posted again.
    if (done > 0) throw new RetryLaterError(message, { retryAfter: 0, done });
    throw new Error(message);
  }

  /** @throws RetryLaterError as long as its operators may still correct the endpoint */
  #assertCounts(status: number, wanted: number, done: number): void {
    this.#refusedSince ??= Date.now();
    const countsFrom = this.#refusedSince + this.#endpointErrorsFor;
    if (Date.now() >= countsFrom) return;
    const until = new Date(Math.min(countsFrom, lastDate)).toISOString();
    throw this.#later(
      `answered ${status}, which is about the endpoint: tried again until ${until}, then it stops the publisher`,
      Math.min(wanted, Math.max(countsFrom - Date.now(), 0)),
      done,
    );
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

  #later(what: string, wanted: number, done: number): RetryLaterError {
    const pause = pauseAfter(++this.#failures, this.#backoff);
    this.#reason = what;
    const retryAfter = Math.max(pause, wanted);
    this.#closedUntil = Date.now() + retryAfter;
    return new RetryLaterError(`${this.#name} ${what}.`, { retryAfter, done });
  }

  /** Without path and query, which may contain a secret. */
  get #name(): string {
    return `The webhook at ${this.#url.origin}`;
  }
}

/** Reads a short answer to its end, so that the connection can be reused. The content is never shown. */
async function drain({ body }: Response): Promise<void> {
  let bytes = 0;
  try {
    for await (const chunk of body ?? []) {
      bytes += (chunk as Uint8Array).length;
      if (bytes > maxAnswerBytes) break;
    }
  } catch {
    // The status has arrived, which is enough.
  }
}

/** Only presence is checked here: errors about the value must not show a secret. */
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

/** Describes a failure before there was an answer. A network error names the host at most. */
function describeFailure(error: unknown, timeout: number): string {
  const { name, cause } = error as Error;
  if (name === 'TimeoutError') return `gave no answer in ${timeout} ms`;
  const code = (cause as { readonly code?: unknown } | undefined)?.code;
  return `can't be reached${typeof code === 'string' ? ` (${code})` : ''}`;
}
