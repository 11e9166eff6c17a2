import { Validator } from '@seriousme/openapi-schema-validator';
import { AggregateClient } from 'temporal-event-store/client';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { createPaymentApi } from '../../../examples/payment/api/payment-api.js';
import { PaymentAggregate } from '../../../examples/payment/domain/payment-aggregate.js';
import type { DailyTotal } from '../../../examples/payment/read-models/find-totals.js';
import { PaymentReader } from '../../../examples/payment/read-models/payment-reader.js';
import { uniqueName } from '../../support/temporal.js';
import { details, startEmbeddedService, type PaymentService } from './payment-service.js';

let service: PaymentService;
let api: Awaited<ReturnType<typeof createPaymentApi>>;
let url: string;
beforeAll(async () => {
  service = await startEmbeddedService();
  const { payments, store, reader } = service;
  api = await createPaymentApi({ payments, store, reader, commandTimeout: 30_000 });
  url = await api.listen({ port: 0, host: '127.0.0.1' });
}, 120_000);
afterAll(async () => {
  await api.close();
  await service.stop();
});

interface Answer {
  readonly status: number;
  readonly type: string | undefined;
  readonly headers: Headers;
  readonly body: Body;
}

/** What is looked at of an answer; each has some of it. */
interface Body {
  readonly id: string;
  readonly payments: readonly { readonly id: string }[];
  readonly next?: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

interface Operation {
  readonly parameters: readonly object[];
  readonly responses: Readonly<
    Record<number, { readonly content: Readonly<Record<string, { readonly schema: object }>> }>
  >;
}

async function call(
  method: string,
  path: string,
  {
    key = crypto.randomUUID(),
    body,
    base = url,
  }: { key?: string | null; body?: unknown; base?: string } = {},
): Promise<Answer> {
  const response = await fetch(base + path, {
    method,
    headers: {
      ...(key !== null && method !== 'GET' && { 'idempotency-key': key }),
      ...(body !== undefined && { 'content-type': 'application/json' }),
    },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  return {
    status: response.status,
    type: response.headers.get('content-type')?.split(';')[0],
    headers: response.headers,
    body: (await response.json()) as Body,
  };
}

const problemType = 'application/problem+json';
const eur = (minorUnits: number): object => ({ minorUnits, currency: 'EUR' });

async function pay(organization: string, intent = 'process'): Promise<string> {
  const { status, body } = await call('POST', '/payments', { body: { intent, ...details(organization) } });
  expect(status).toBe(201);
  return body.id;
}

async function eventsOf(id: string): Promise<string[]> {
  return (await service.store.readStream(`Payment-${id}`)).events.map(({ type }) => type);
}

async function storedEvents(): Promise<number> {
  return (await service.store.statistics()).total;
}

describe('the API', () => {
  it('takes a payment through its life, each step with what it did', async () => {
    const organization = uniqueName('org');
    const begun = await call('POST', '/payments', {
      body: { intent: 'initiate', ...details(organization, 10_000) },
    });
    expect(begun).toMatchObject({
      status: 201,
      body: { version: 1, events: [{ type: 'PaymentInitiated' }], deduplicated: false },
    });
    const { id } = begun.body;
    expect(begun.headers.get('location')).toBe(`/payments/${id}`);

    const step = async (name: string, body?: unknown): Promise<Answer> => {
      const answer = await call('POST', `/payments/${id}/${name}`, { body });
      expect(answer.status).toBe(200);
      return answer;
    };
    await step('authorise', { authorisationId: 'a-1' });
    await step('capture');
    await step('complete');
    const refunded = await step('refund', { amount: eur(2_500), reason: 'a part' });
    expect(refunded.body).toMatchObject({ id, version: 5, events: [{ type: 'PaymentRefunded' }] });

    expect((await call('GET', `/payments/${id}`)).body).toEqual({
      id,
      organizationId: organization,
      description: 'Test payment',
      status: 'completed',
      amount: eur(10_000),
      refunded: 2_500,
      version: 5,
    });
    const history = await call('GET', `/payments/${id}/history`);
    expect(history.body).toMatchObject([
      { type: 'PaymentInitiated', version: 1, metadata: { actor: 'api', correlationId: `case-${id}` } },
      { type: 'PaymentAuthorised', version: 2 },
      { type: 'PaymentProcessed', version: 3 },
      { type: 'PaymentCompleted', version: 4 },
      { type: 'PaymentRefunded', version: 5, data: { amount: eur(2_500), reason: 'a part' } },
    ]);
  });

  it.each(['cancel', 'fail'])('ends a payment with %s', async (command) => {
    const id = await pay(uniqueName('org'), 'initiate');
    const answer = await call('POST', `/payments/${id}/${command}`, { body: { reason: 'no funds' } });
    expect(answer.status).toBe(200);
    expect(await eventsOf(id)).toHaveLength(2);
  });

  it('finds what was written just before, by organisation and status', async () => {
    const organization = uniqueName('org');
    const processed = await pay(organization);
    const initiated = await pay(organization, 'initiate');

    const all = await call('GET', `/payments?organization=${organization}`);
    expect(all.status).toBe(200);
    expect(all.body.payments.map(({ id }) => id)).toEqual([processed, initiated].sort());
    const some = await call('GET', `/payments?organization=${organization}&status=initiated`);
    expect(some.body.payments).toMatchObject([{ id: initiated, status: 'initiated', amount: eur(10_000) }]);
    const first = await call('GET', `/payments?organization=${organization}&limit=1`);
    const second = await call(
      'GET',
      `/payments?organization=${organization}&limit=1&after=${first.body.next}`,
    );
    expect([...first.body.payments, ...second.body.payments]).toEqual(all.body.payments);
  });

  it('totals what was captured and refunded on a day', async () => {
    const day = new Date().toISOString().slice(0, 10);
    const chf = async (): Promise<unknown> => {
      const { status, body } = await call('GET', `/totals?from=${day}`);
      expect(status).toBe(200);
      return (body as unknown as DailyTotal[]).find(({ currency }) => currency === 'CHF');
    };
    const { body } = await call('POST', '/payments', { body: details(uniqueName('org'), 900, 'CHF') });
    await call('POST', `/payments/${body.id}/refund`, {
      body: { amount: { minorUnits: 400, currency: 'CHF' }, reason: 'a part' },
    });
    expect(await chf()).toMatchObject({ count: 1, captured: '900', refunded: '400' });
  });

  it('deletes a payment from every query, and keeps its history', async () => {
    const organization = uniqueName('org');
    const id = await pay(organization);
    expect(await call('DELETE', `/payments/${id}?reason=a+test`)).toMatchObject({ status: 200 });

    expect(await call('GET', `/payments/${id}`)).toMatchObject({ status: 404, type: problemType });
    expect((await call('GET', `/payments?organization=${organization}`)).body.payments).toEqual([]);
    expect((await call('GET', `/payments/${id}/history`)).body).toMatchObject([
      { type: 'PaymentProcessed' },
      { type: 'PaymentDeleted', data: { reason: 'a test' } },
    ]);
  });

  it('describes itself by a valid OpenAPI document', async () => {
    const { status, body } = await call('GET', '/openapi.json');
    expect(status).toBe(200);
    expect(await new Validator().validate({ ...body })).toEqual({ valid: true });
    expect(Object.keys(body.paths)).toEqual(
      expect.arrayContaining([
        '/payments',
        '/payments/{id}',
        '/payments/{id}/history',
        ...['authorise', 'capture', 'complete', 'refund', 'cancel', 'fail'].map(
          (name) => `/payments/{id}/${name}`,
        ),
        '/totals',
      ]),
    );
    const { parameters, responses } = body.paths['/payments']?.['post'] as Operation;
    expect(parameters).toContainEqual(
      expect.objectContaining({ in: 'header', name: 'idempotency-key', required: true }),
    );
    expect(responses[422]?.content[problemType]?.schema).toHaveProperty('properties.reason');
  });
});

describe('an Idempotency-Key', () => {
  it('makes a request that is sent again take effect once', async () => {
    const request = { key: crypto.randomUUID(), body: details(uniqueName('org')) };
    const first = await call('POST', '/payments', request);
    const second = await call('POST', '/payments', request);
    expect(first.body).toMatchObject({ deduplicated: false });
    expect(second).toMatchObject({ status: 201, body: { ...first.body, deduplicated: true } });

    const refund = { key: crypto.randomUUID(), body: { amount: eur(100), reason: 'a part' } };
    const { id } = first.body;
    const both = await Promise.all([1, 2].map(() => call('POST', `/payments/${id}/refund`, refund)));
    expect(both.map(({ status }) => status)).toEqual([200, 200]);
    expect(await eventsOf(id)).toEqual(['PaymentProcessed', 'PaymentRefunded']);
  });

  it('of another request is refused, and nothing is stored', async () => {
    const key = crypto.randomUUID();
    const organization = uniqueName('org');
    const { body } = await call('POST', '/payments', { key, body: details(organization) });
    const before = await storedEvents();

    const answers = [
      await call('POST', '/payments', { key, body: details(organization, 1) }),
      await call('POST', `/payments/${body.id}/complete`, { key }),
    ];
    for (const answer of answers) {
      expect(answer).toMatchObject({
        status: 422,
        type: problemType,
        body: { type: 'https://payments.example/problems/idempotency-key-reused' },
      });
    }
    expect(await storedEvents()).toBe(before);
  });

  it('makes it safe to ask again where the outcome is unknown', async () => {
    const { client, store, reader, payments } = service;
    const lonely = new AggregateClient({
      client,
      aggregate: PaymentAggregate,
      taskQueue: uniqueName('nobody'),
    });
    const deaf = await createPaymentApi({ payments: lonely, store, reader, commandTimeout: 300 });
    onTestFinished(() => deaf.close());
    const base = await deaf.listen({ port: 0, host: '127.0.0.1' });
    const request = { key: crypto.randomUUID(), body: details(uniqueName('org')) };

    const unknown = await call('POST', '/payments', { ...request, base });
    expect(unknown).toMatchObject({
      status: 504,
      body: { detail: expect.stringContaining('same Idempotency-Key') as string },
    });
    expect(unknown.headers.get('retry-after')).toBe('1');

    const again = await call('POST', '/payments', request);
    expect(again).toMatchObject({ status: 201 });
    expect(await eventsOf(again.body.id)).toEqual(['PaymentProcessed']);
    await payments.state(again.body.id);
  });
});

describe('what is wrong is a problem answer, and nothing is stored:', () => {
  const good = details('org-456');
  const bad: readonly [
    what: string,
    method: string,
    path: string,
    request: { key?: string | null; body?: unknown },
    status: number,
    problem: object,
  ][] = [
    ['no body', 'POST', '/payments', {}, 400, {}],
    ['no JSON', 'POST', '/payments', { body: '{"amount":' }, 400, {}],
    ['a poisoned prototype', 'POST', '/payments', { body: '{"__proto__":{"a":1}}' }, 400, {}],
    ['too much', 'POST', '/payments', { body: { ...good, description: 'x'.repeat(20_000) } }, 413, {}],
    [
      'no amount',
      'POST',
      '/payments',
      { body: { ...good, amount: undefined } },
      400,
      field('body', 'amount'),
    ],
    ['an amount of zero', 'POST', '/payments', { body: amount(0) }, 400, field('body', 'amount.minorUnits')],
    ['less than nothing', 'POST', '/payments', { body: amount(-1) }, 400, field('body', 'amount.minorUnits')],
    ['half a cent', 'POST', '/payments', { body: amount(0.5) }, 400, field('body', 'amount.minorUnits')],
    [
      'an inexact amount',
      'POST',
      '/payments',
      { body: amount(2 ** 53) },
      400,
      field('body', 'amount.minorUnits'),
    ],
    [
      'an amount as text',
      'POST',
      '/payments',
      { body: amount('1') },
      400,
      field('body', 'amount.minorUnits'),
    ],
    ['no currency', 'POST', '/payments', { body: amount(1, 'euro') }, 400, field('body', 'amount.currency')],
    [
      'no such currency',
      'POST',
      '/payments',
      { body: amount(1, 'ABC') },
      422,
      { reason: 'INVALID_CURRENCY' },
    ],
    ['no such intent', 'POST', '/payments', { body: { ...good, intent: 'x' } }, 400, field('body', 'intent')],
    ['an unknown field', 'POST', '/payments', { body: { ...good, admin: true } }, 400, {}],
    [
      'a NUL',
      'POST',
      '/payments',
      { body: { ...good, description: 'a\u0000' } },
      400,
      field('body', 'description'),
    ],
    [
      'half a character',
      'POST',
      '/payments',
      { body: { ...good, description: '\ud800' } },
      400,
      field('body', 'description'),
    ],
    [
      'an odd organisation',
      'POST',
      '/payments',
      { body: { ...good, organizationId: `'; drop` } },
      400,
      field('body', 'organizationId'),
    ],
    ['no key', 'POST', '/payments', { key: null, body: good }, 400, field('headers', 'idempotency-key')],
    ['an empty key', 'POST', '/payments', { key: '', body: good }, 400, field('headers', 'idempotency-key')],
    [
      'a long key',
      'POST',
      '/payments',
      { key: 'k'.repeat(256), body: good },
      400,
      field('headers', 'idempotency-key'),
    ],
    ['an odd id', 'POST', '/payments/%20/complete', {}, 400, field('params', 'id')],
    ['no such payment', 'POST', '/payments/nobody/complete', {}, 404, { reason: 'NOT_FOUND' }],
    [
      'no authorisation id',
      'POST',
      '/payments/PAID/authorise',
      { body: {} },
      400,
      field('body', 'authorisationId'),
    ],
    ['a body where none belongs', 'POST', '/payments/PAID/complete', { body: { by: 'me' } }, 400, {}],
    [
      'authorise when it is paid',
      'POST',
      '/payments/PAID/authorise',
      { body: { authorisationId: 'a' } },
      409,
      { reason: 'NOT_ALLOWED' },
    ],
    ['capture when it is paid', 'POST', '/payments/PAID/capture', {}, 409, { reason: 'NOT_ALLOWED' }],
    [
      'cancel when it is paid',
      'POST',
      '/payments/PAID/cancel',
      { body: { reason: 'x' } },
      409,
      { reason: 'NOT_ALLOWED' },
    ],
    [
      'cancel for no reason',
      'POST',
      '/payments/PAID/cancel',
      { body: { reason: '' } },
      400,
      field('body', 'reason'),
    ],
    ['fail for no reason', 'POST', '/payments/PAID/fail', { body: {} }, 400, field('body', 'reason')],
    [
      'refund of too much',
      'POST',
      '/payments/PAID/refund',
      { body: { amount: eur(10_001), reason: 'x' } },
      422,
      { reason: 'REFUND_TOO_LARGE' },
    ],
    [
      'refund in another currency',
      'POST',
      '/payments/PAID/refund',
      { body: { amount: { minorUnits: 1, currency: 'USD' }, reason: 'x' } },
      422,
      { reason: 'CURRENCY_MISMATCH' },
    ],
    [
      'refund of nothing',
      'POST',
      '/payments/PAID/refund',
      { body: { amount: eur(0), reason: 'x' } },
      400,
      field('body', 'amount.minorUnits'),
    ],
    ['delete for no reason', 'DELETE', '/payments/PAID', {}, 400, field('querystring', 'reason')],
    ['delete of nothing', 'DELETE', '/payments/nobody?reason=x', {}, 404, { reason: 'NOT_FOUND' }],
    ['no such payment', 'GET', '/payments/nobody', {}, 404, {}],
    ['no such history', 'GET', '/payments/nobody/history', {}, 404, {}],
    ['no such status', 'GET', '/payments?status=x', {}, 400, field('querystring', 'status')],
    ['deleted ones', 'GET', '/payments?status=deleted', {}, 400, field('querystring', 'status')],
    ['an unknown filter', 'GET', '/payments?organisation=x', {}, 400, {}],
    ['a page of all', 'GET', '/payments?limit=501', {}, 400, field('querystring', 'limit')],
    ['a page of none', 'GET', '/payments?limit=0', {}, 400, field('querystring', 'limit')],
    ['no day', 'GET', '/totals?from=2024-02-30', {}, 400, field('querystring', 'from')],
    [
      'days the wrong way round',
      'GET',
      '/totals?from=2024-02-02&to=2024-02-01',
      {},
      400,
      field('querystring', 'to'),
    ],
    ['no such route', 'GET', '/nothing', {}, 404, {}],
  ];

  function field(place: string, name: string): object {
    return { errors: [expect.objectContaining({ in: place, field: name }) as object] };
  }
  function amount(minorUnits: unknown, currency = 'EUR'): object {
    return { ...good, amount: { minorUnits, currency } };
  }

  let paid: string;
  beforeAll(async () => {
    paid = await pay(uniqueName('org'));
  });

  it.each(bad)('%s (%s %s)', async (_what, method, path, request, status, problem) => {
    const before = await storedEvents();
    const answer = await call(method, path.replace('PAID', paid), request);
    expect(answer).toMatchObject({
      status,
      type: problemType,
      body: { type: expect.any(String) as string, title: expect.any(String) as string, status, ...problem },
    });
    expect(await storedEvents()).toBe(before);
  });

  it('another media type', async () => {
    const response = await fetch(`${url}/payments`, {
      method: 'POST',
      headers: { 'content-type': 'text/xml', 'idempotency-key': 'k' },
      body: '<payment/>',
    });
    expect(response.status).toBe(415);
    expect(await response.json()).toMatchObject({ status: 415 });
  });

  it('a read model that does not come along', async () => {
    const { store, readModels, projections, payments } = service;
    const hasty = new PaymentReader({ store, client: readModels.client, projections, timeout: 50 });
    const behind = await createPaymentApi({ payments, store, reader: hasty });
    onTestFinished(() => behind.close());
    const base = await behind.listen({ port: 0, host: '127.0.0.1' });
    await projections.pause('payments');
    onTestFinished(async () => {
      await projections.resume('payments');
    });
    await pay(uniqueName('org'));

    const answer = await call('GET', '/payments', { base });
    expect(answer).toMatchObject({ status: 503, body: { title: 'Not now' } });
    expect(answer.headers.get('retry-after')).toBe('1');
  });
});
