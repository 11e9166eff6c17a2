import { Webhook } from 'standardwebhooks';
import {
  findEventStoreError,
  toCloudEvent,
  type RecordedEvent,
  type RetryLaterError,
} from 'temporal-event-store';
import { WebhookPublisher, type WebhookPublisherOptions } from 'temporal-event-store/activities';
import { MemoryEventStore } from 'temporal-event-store/memory';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { expectTypedError } from '../../support/typed-error.js';
import { newSecret, useReceiver } from '../../support/webhook-receiver.js';

const secret = newSecret();

async function recorded(count = 1): Promise<readonly RecordedEvent[]> {
  const store = new MemoryEventStore();
  const events = Array.from({ length: count }, (_, index) => ({
    type: 'Paid',
    data: { index, text: 'zu “spät” 🙂' },
  }));
  await store.appendToStream('Payment-1', events, { metadata: { correlationId: 'c-1' } });
  return (await store.readStream('Payment-1')).events;
}

async function delayOf(publishing: Promise<void>): Promise<RetryLaterError> {
  const error: unknown = await publishing.catch((reason: unknown) => reason);
  const delay = findEventStoreError(error, 'RETRY_LATER');
  expect(delay, String(error)).toBeDefined();
  return delay as RetryLaterError;
}

describe('a message to a webhook', () => {
  it('is a CloudEvent, signed so that an independent library knows it', async () => {
    const receiver = await useReceiver();
    const [event] = (await recorded()) as [RecordedEvent];
    const publisher = new WebhookPublisher({
      url: receiver.url,
      secrets: [secret],
      source: 'https://shop.example',
      headers: { authorization: 'Bearer token' },
    });

    await publisher.publish([event]);

    const [{ headers, body }] = receiver.deliveries as [(typeof receiver.deliveries)[0]];
    expect(headers).toMatchObject({
      'content-type': 'application/cloudevents+json; charset=utf-8',
      'webhook-id': event.id,
      authorization: 'Bearer token',
    });
    const verified = new Webhook(secret).verify(body, headers as Record<string, string>);
    expect(verified).toEqual(toCloudEvent(event, { source: 'https://shop.example' }));
    expect(() => new Webhook(newSecret()).verify(body, headers as Record<string, string>)).toThrow();
    expect(() => new Webhook(secret).verify(`${body} `, headers as Record<string, string>)).toThrow();
  });

  it('is signed with each secret, so that either is known while one is changed', async () => {
    const receiver = await useReceiver();
    const next = newSecret();
    await new WebhookPublisher({ url: receiver.url, secrets: [next, secret] }).publish(await recorded());

    const [{ headers, body }] = receiver.deliveries as [(typeof receiver.deliveries)[0]];
    for (const known of [secret, next]) {
      expect(new Webhook(known).verify(body, headers as Record<string, string>)).toBeDefined();
    }
  });

  it('waits for the one before it', async () => {
    const receiver = await useReceiver();
    await new WebhookPublisher({ url: receiver.url, secrets: [secret] }).publish(await recorded(20));
    expect(receiver.accepted).toMatchObject(Array.from({ length: 20 }, (_, index) => ({ index })));
  });
});

describe('an answer', () => {
  it.each([408, 425, 429, 500, 502, 503, 504])('%i is no fault of the event', async (status) => {
    const receiver = await useReceiver(() => ({ status }));
    const publisher = new WebhookPublisher({ url: receiver.url, secrets: [secret] });
    const delay = await delayOf(publisher.publish(await recorded()));
    expect(delay.message).toContain(`answered ${status}`);
    expect(delay).toMatchObject({ done: 0 });
    expect(delay.retryAfter).toBeGreaterThanOrEqual(500);
    expect(delay.retryAfter).toBeLessThanOrEqual(1_000);
  });

  it.each([301, 307, 400, 409, 413, 422])('%i blames the event, and is not followed', async (status) => {
    const elsewhere = await useReceiver();
    const receiver = await useReceiver(() => ({ status, headers: { location: elsewhere.url } }));
    const publisher = new WebhookPublisher({ url: receiver.url, secrets: [secret] });
    const error: unknown = await publisher.publish(await recorded()).catch((e: unknown) => e);
    expect(findEventStoreError(error)).toBeUndefined();
    expect(String(error)).toContain(`answered ${status}`);
    expect(elsewhere.deliveries).toEqual([]);
  });

  it.each([401, 402, 403, 404, 405, 406, 410, 415, 418, 421, 451])(
    '%i is about the endpoint: it blames the event only after a time',
    async (status) => {
      const receiver = await useReceiver(() => ({ status }));
      const options = { url: receiver.url, secrets: [secret] };
      const events = await recorded();
      const delay = await delayOf(new WebhookPublisher(options).publish(events));
      expect(delay.message).toMatch(
        new RegExp(`answered ${status}, which is about the endpoint: .* until 20`),
      );
      expect(delay.retryAfter).toBeLessThanOrEqual(1_000);

      const error: unknown = await new WebhookPublisher({ ...options, endpointErrorsFor: 0 })
        .publish(events)
        .catch((e: unknown) => e);
      expect(findEventStoreError(error)).toBeUndefined();
      expect(String(error)).toContain(`answered ${status}`);
    },
  );

  it('that is about the endpoint counts from the first in a row', async () => {
    let status = 404;
    const receiver = await useReceiver(() => ({ status }));
    const options = { url: receiver.url, secrets: [secret], backoff: { first: 1, longest: 1 } };
    const publisher = new WebhookPublisher({ ...options, endpointErrorsFor: 100 });
    const events = await recorded();
    /** Publishes until it counts. @returns how often it did not */
    const refusals = async (): Promise<number> => {
      for (let count = 0; ; count++) {
        const error: unknown = await publisher.publish(events).catch((e: unknown) => e);
        if (findEventStoreError(error, 'RETRY_LATER') === undefined) {
          expect(String(error)).toContain('answered 404');
          return count;
        }
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    };
    expect(await refusals()).toBeGreaterThan(1);
    // Then at once, until it has answered otherwise.
    expect(await refusals()).toBe(0);
    status = 204;
    await publisher.publish(events);
    status = 404;
    expect(await refusals()).toBeGreaterThan(1);
  });

  it('that takes long leaves the rest of a page to the next', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    onTestFinished(() => {
      vi.useRealTimers();
    });
    const receiver = await useReceiver(() => {
      vi.setSystemTime(Date.now() + 8_000);
      return { status: 204 };
    });
    const publisher = new WebhookPublisher({ url: receiver.url, secrets: [secret] });
    const events = await recorded(5);
    const delay = await delayOf(publisher.publish(events, { timeout: 60_000 }));
    expect(delay).toMatchObject({ done: 4, retryAfter: 0 });
    expect(delay.message).toContain('4 events in 32');
    // One at least: it goes on, however short the time is.
    expect(await delayOf(publisher.publish(events, { timeout: 1 }))).toMatchObject({ done: 1 });
    // Of somebody who would begin at the first again.
    await publisher.publish(events);
  });

  it('may take any length: its status is what counts', async () => {
    const receiver = await useReceiver(() => ({ status: 200, body: 'x'.repeat(1_000_000) }));
    await new WebhookPublisher({ url: receiver.url, secrets: [secret] }).publish(await recorded(2));
    expect(receiver.accepted).toHaveLength(2);
  });

  it('that does not come in time is no fault of the event, nor is an endpoint that is down', async () => {
    const receiver = await useReceiver(() => undefined);
    const options = { url: receiver.url, secrets: [secret] };
    const late = await delayOf(new WebhookPublisher({ ...options, timeout: 50 }).publish(await recorded()));
    expect(late.message).toContain('no answer in 50 ms');

    await receiver.down();
    const away = await delayOf(new WebhookPublisher(options).publish(await recorded()));
    expect(away.message).toContain('ECONNREFUSED');
  });

  it('in the middle of a page tells what is done, and blames the event only at the head of the next', async () => {
    const receiver = await useReceiver((_, number) => ({ status: number >= 3 ? 422 : 204 }));
    const publisher = new WebhookPublisher({ url: receiver.url, secrets: [secret] });
    const events = await recorded(4);
    expect(await delayOf(publisher.publish(events))).toMatchObject({ done: 2, retryAfter: 0 });
    await expect(publisher.publish(events.slice(2))).rejects.toThrow('answered 422');
    expect(receiver.deliveries).toHaveLength(4);
  });
});

describe('an endpoint that fails', () => {
  it('is left alone for pauses that grow, up to the longest', async () => {
    const receiver = await useReceiver(() => ({ status: 500 }));
    const publisher = new WebhookPublisher({
      url: receiver.url,
      secrets: [secret],
      backoff: { first: 4, longest: 16 },
    });
    const events = await recorded();
    for (const [index, pause] of [4, 8, 16, 16].entries()) {
      let delay = await delayOf(publisher.publish(events));
      // Whoever asks too early doesn't reach it.
      while (delay.message.includes('rests')) {
        expect(receiver.deliveries).toHaveLength(index);
        await new Promise((resolve) => setTimeout(resolve, delay.retryAfter));
        delay = await delayOf(publisher.publish(events));
      }
      expect(receiver.deliveries).toHaveLength(index + 1);
      expect(delay.message).toContain('answered 500');
      expect(delay.retryAfter).toBeGreaterThanOrEqual(pause / 2);
      expect(delay.retryAfter).toBeLessThanOrEqual(pause);
    }
  });

  it.each([
    ['seconds', () => '7', 7_000],
    // Told in whole seconds, and some pass before it is read.
    ['a date', () => new Date(Date.now() + 600_000).toUTCString(), 570_000],
    ['too many seconds', () => '99999999', 24 * 60 * 60_000],
    ['a word', () => 'soon', 500],
  ])('says when to come again: %s', async (_what, header, least) => {
    const receiver = await useReceiver(() => ({ status: 503, headers: { 'retry-after': header() } }));
    const publisher = new WebhookPublisher({ url: receiver.url, secrets: [secret] });
    const { retryAfter = 0 } = await delayOf(publisher.publish(await recorded()));
    expect(retryAfter).toBeGreaterThanOrEqual(least);
    expect(retryAfter).toBeLessThanOrEqual(Math.max(least * 1.1, 1_000));
    expect((await delayOf(publisher.publish(await recorded()))).message).toContain('rests');
    expect(receiver.deliveries).toHaveLength(1);
  });
});

describe('a WebhookPublisher', () => {
  const valid = { url: 'https://shop.example/events', secrets: [secret] };

  it.each<[string, unknown, string]>([
    ['no options', undefined, 'url'],
    ['no url', { secrets: [secret] }, 'url'],
    ['no URL', { ...valid, url: 'shop' }, 'url'],
    ['another protocol', { ...valid, url: 'ftp://shop.example' }, 'https:'],
    ['a user in the URL', { ...valid, url: 'https://hunter2@shop.example' }, 'without user and password'],
    [
      'a password in the URL',
      { ...valid, url: 'https://me:hunter2@shop.example' },
      'without user and password',
    ],
    ['no secrets', { url: valid.url }, 'secrets'],
    ['an empty list of secrets', { ...valid, secrets: [] }, 'at least one'],
    ['a secret alone', { ...valid, secrets: secret }, 'secrets'],
    ['a secret without its prefix', { ...valid, secrets: [secret, 'hunter2'] }, 'whsec_'],
    ['a short secret', { ...valid, secrets: [`whsec_${btoa('hunter2')}`] }, '24 to 64'],
    ['a long secret', { ...valid, secrets: [`whsec_${btoa('hunter2'.repeat(10))}`] }, '24 to 64'],
    ['a secret that is not base64', { ...valid, secrets: [`${secret}*hunter2`] }, 'base64'],
    ['a header of the message', { ...valid, headers: { 'Webhook-Id': 'hunter2' } }, 'Webhook-Id'],
    [
      'a header that can not be sent',
      { ...valid, headers: { authorization: 'hunter2\n' + 'hunter2' } },
      'authorization',
    ],
    ['a timeout of nothing', { ...valid, timeout: 0 }, 'timeout'],
    ['a backoff that is no object', { ...valid, backoff: 5 }, 'backoff'],
    ['a backoff of nothing', { ...valid, backoff: { first: 0 } }, 'first'],
    ['an unknown backoff', { ...valid, backoff: { max: 1 } }, 'max'],
    ['an unknown option', { ...valid, retries: 3 }, 'retries'],
  ])('refuses %s', async (_what, options, says) => {
    const make = async (): Promise<WebhookPublisher> =>
      new WebhookPublisher(options as WebhookPublisherOptions);
    const secrets = ['hunter2', btoa('hunter2').slice(0, 9), secret.slice(6)];
    await expectTypedError(make(), { code: 'INVALID_ARGUMENT', says, secrets });
  });

  it.each([410, 503, undefined])('tells no secret when the answer is %s', async (status) => {
    const receiver = await useReceiver(() =>
      status === undefined ? undefined : { status, body: 'hunter2' },
    );
    const publisher = new WebhookPublisher({
      url: `${receiver.url}/hunter2?key=hunter2`,
      secrets: [secret],
      headers: { authorization: 'hunter2' },
      timeout: 100,
    });
    const error: unknown = await publisher.publish(await recorded()).catch((e: unknown) => e);
    for (const text of [String(error), JSON.stringify(error), (error as Error).stack]) {
      expect(text).not.toMatch(/hunter2|whsec_/);
    }
    expect((error as Error).cause).toBeUndefined();
  });
});
