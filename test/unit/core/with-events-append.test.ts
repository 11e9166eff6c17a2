import {
  defineEvents,
  withEvents as withTypedEvents,
  type EventRegistry,
  type EventStore,
  type EventToAppend,
  type StandardSchema,
} from 'temporal-event-store';
import { MemoryEventStore } from 'temporal-event-store/memory';
import { beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { observe } from '../fixtures/observed-store.js';
import { orderSchemas } from '../fixtures/order-events.js';

let inner: MemoryEventStore;

/** As for callers whom no types keep from anything. */
function withEvents<S extends EventStore>(store: S, registry: EventRegistry) {
  return withTypedEvents(store, registry);
}

beforeEach(() => {
  inner = new MemoryEventStore();
});

async function dataIn(streamId: string): Promise<unknown[]> {
  return (await inner.readStream(streamId)).events.map((event) => event.data);
}

const line = { sku: 'a', price: 5, count: 2 };

function placed(...lines: readonly unknown[]): EventToAppend {
  return { type: 'Placed', data: { lines, note: 'soon' } };
}

describe.each(orderSchemas)('a schema of $library', ({ schema, asyncSchema }) => {
  const events = defineEvents({ Placed: { schema } });

  it('lets through what fits, and stores it as it is', async () => {
    const result = await withEvents(inner, events).appendToStream('Order-1', [placed(line)]);
    expect(result).toMatchObject({ version: 1, deduplicated: false });
    expect(await dataIn('Order-1')).toEqual([{ lines: [line], note: 'soon' }]);
  });

  it('fills in defaults, which are stored', async () => {
    const given = { type: 'Placed', data: { lines: [{ sku: 'a', price: 5 }] } };
    await withEvents(inner, events).appendToStream('Order-1', [given]);
    expect(await dataIn('Order-1')).toEqual([{ lines: [{ sku: 'a', price: 5, count: 1 }], note: null }]);
  });

  it.each([
    ['a wrong type', [placed(line, { ...line, price: '5' })], 'events[0].data.lines[1].price'],
    ['a missing property', [placed(line), placed({ sku: 'a' })], 'events[1].data.lines[0].price'],
    ['data of another kind', [{ type: 'Placed', data: 'lines' }], 'events[0].data'],
    ['no data', [{ type: 'Placed' }], 'events[0].data'],
    ['a property it would strip', [placed(line, { ...line, vat: 7 })], 'events[0].data.lines[1].vat'],
    [
      'a property it would strip, oddly named',
      [placed({ ...line, 'a b': 1 })],
      'events[0].data.lines[0]["a b"]',
    ],
  ])('refuses %s with its path, and stores nothing', async (_what, given, path) => {
    const append = withEvents(inner, events).appendToStream('Order-1', given as EventToAppend[]);
    await expect(append).rejects.toMatchObject({
      code: 'INVALID_EVENT',
      path,
      message: expect.stringContaining(path) as unknown,
    });
    expect(await dataIn('Order-1')).toEqual([]);
  });

  it('takes an undefined property that it does not know for an absent one', async () => {
    await withEvents(inner, events).appendToStream('Order-1', [placed({ ...line, vat: undefined })]);
    expect(await dataIn('Order-1')).toEqual([{ lines: [line], note: 'soon' }]);
  });

  it('may check asynchronously', async () => {
    const store = withEvents(inner, defineEvents({ Placed: { schema: asyncSchema } }));
    const append = store.appendToStream('Order-1', [
      placed(line),
      placed(line, { ...line, sku: 'sold-out' }),
    ]);

    await expect(append).rejects.toMatchObject({
      code: 'INVALID_EVENT',
      path: 'events[1].data.lines[1].sku',
      message: expect.stringContaining('Sold out') as unknown,
    });
    expect(await store.appendToStream('Order-1', [placed({ sku: 'a', price: 5 })])).toMatchObject({
      version: 1,
    });
    expect(await dataIn('Order-1')).toEqual([{ lines: [{ sku: 'a', price: 5, count: 1 }], note: 'soon' }]);
  });

  it('takes effect once when an append is repeated', async () => {
    const store = withEvents(inner, events);
    const first = await store.appendToStream('Order-1', [placed({ sku: 'a', price: 5 })], { commitId: 'c' });
    const again = await store.appendToStream('Order-1', [placed({ sku: 'a', price: 5 })], { commitId: 'c' });
    expect(again).toEqual({ ...first, deduplicated: true });
  });

  it('checks the commits of appendCommits', async () => {
    const store = withEvents(inner, events);
    const wrong = [
      { commitId: 'a', events: [placed(line)] },
      { commitId: 'b', events: [placed(line), placed({ ...line, price: '5' })] },
    ];
    await expect(store.appendCommits('Order-1', wrong)).rejects.toMatchObject({
      code: 'INVALID_EVENT',
      path: 'commits[1].events[1].data.lines[0].price',
    });
    expect(await dataIn('Order-1')).toEqual([]);

    const right = [{ commitId: 'a', events: [placed({ sku: 'a', price: 5 })], metadata: { actor: 'ann' } }];
    expect(await store.appendCommits('Order-1', right, { expectedVersion: 0 })).toMatchObject([
      { version: 1 },
    ]);
    expect((await inner.readStream('Order-1')).events[0]).toMatchObject({
      data: { lines: [{ count: 1 }] },
      metadata: { actor: 'ann' },
    });
  });
});

describe('appends to several streams of a store with events', () => {
  const events = defineEvents({ Placed: { schema: orderSchemas[0]!.schema } });
  const streams = ['Order-1', 'Order-2'] as const;

  it('are checked, and the error says which event is wrong', async () => {
    const store = withEvents(inner, events);
    const wrong = [
      { streamId: streams[0], events: [placed(line)] },
      { streamId: streams[1], events: [placed(line), placed({ ...line, price: '5' })] },
    ];
    await expect(store.appendToStreams(wrong)).rejects.toMatchObject({
      code: 'INVALID_EVENT',
      path: 'appends[1].events[1].data.lines[0].price',
    });
    expect([await dataIn(streams[0]), await dataIn(streams[1])]).toEqual([[], []]);
  });

  it('store what the schemas make of them, and say of which streams', async () => {
    const store = withEvents(inner, events);
    const complete = { lines: [{ sku: 'a', price: 5, count: 2 }], note: 'now' };
    const { parts } = await store.appendToStreams([
      { streamId: streams[0], events: [{ type: 'Placed', data: complete }] },
      { streamId: streams[1], events: [placed({ sku: 'a', price: 5 })] },
    ]);
    expect(parts.map(({ streamId, changedBySchema }) => [streamId, changedBySchema])).toEqual([
      [streams[0], undefined],
      [streams[1], true],
    ]);
    expect(await dataIn(streams[0])).toEqual([complete]);
    expect(await dataIn(streams[1])).toEqual([{ lines: [{ sku: 'a', price: 5, count: 1 }], note: 'soon' }]);
  });

  it('take effect once when they are repeated, in the form of the schemas', async () => {
    const store = withEvents(inner, events);
    const appends = streams.map((streamId) => ({ streamId, events: [placed({ sku: 'a', price: 5 })] }));
    const first = await store.appendToStreams(appends, { commitId: 'c' });
    const again = await store.appendToStreams(appends, { commitId: 'c' });
    expect(again).toEqual({
      ...first,
      deduplicated: true,
      parts: first.parts.map((part) => ({ ...part, deduplicated: true })),
    });
  });

  it('keep their condition', async () => {
    const store = withEvents(inner, events);
    const condition = { filter: { types: ['Placed'] }, after: await store.readAll() };
    await store.appendToStream(streams[0], [placed(line)]);
    const append = store.appendToStreams([{ streamId: streams[1], events: [placed(line)] }], { condition });
    await expect(append).rejects.toMatchObject({ code: 'APPEND_CONDITION_FAILED', after: 0 });
  });

  it.each([
    ['no list of appends', 'Placed'],
    ['no appends', []],
    ['null in place of an append', [null]],
    ['an append without events', [{ streamId: 'Order-1' }]],
  ])('refuse %s as the store does', async (_what, given) => {
    const append = withEvents(inner, events).appendToStreams(given as never);
    await expect(append).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });
});

describe('appends to a store with events', () => {
  const events = defineEvents({
    Opened: {},
    Paid: { schemaVersion: 3, schema: z.object({ amount: z.number() }), upcast: { 1: same, 2: same } },
    Noted: { schema: z.any() },
  });

  it('store the present schema version', async () => {
    const store = withEvents(inner, events);
    await store.appendToStream('Order-1', [
      { type: 'Opened', data: { any: 'thing' } },
      { type: 'Paid', data: { amount: 5 } },
      { type: 'Paid', data: { amount: 5 }, schemaVersion: 3 },
    ]);
    const stored = await inner.readStream('Order-1');
    expect(stored.events.map((event) => event.schemaVersion)).toEqual([1, 3, 3]);
  });

  it('keep everything else of an event', async () => {
    const given = {
      type: 'Paid',
      data: { amount: 5 },
      metadata: { actor: 'ann' },
      tags: ['eu'],
      occurredAt: '2024-01-01T00:00:00.000Z',
    };
    await withEvents(inner, events).appendToStream('Order-1', [given]);
    expect((await inner.readStream('Order-1')).events[0]).toMatchObject(given);
  });

  it.each<[string, unknown, object]>([
    ['a type that is not listed', { type: 'Payed', data: {} }, { path: 'events[0].type' }],
    ['a type named after a method of objects', { type: 'toString', data: {} }, { path: 'events[0].type' }],
    ['no type', { data: {} }, { path: 'events[0].type' }],
    ['null in place of an event', null, { path: 'events[0]' }],
    [
      'an older schema version',
      { type: 'Paid', data: { amount: 5 }, schemaVersion: 2 },
      { path: 'events[0].schemaVersion' },
    ],
    [
      'a newer schema version',
      { type: 'Paid', data: { amount: 5 }, schemaVersion: 4 },
      { path: 'events[0].schemaVersion' },
    ],
    [
      'a cycle that a schema lets through',
      { type: 'Noted', data: circular() },
      { path: 'events[0].data.self' },
    ],
    ['depth that a schema lets through', { type: 'Noted', data: nested(20_000) }, { code: 'INVALID_EVENT' }],
  ])('refuse %s', async (_what, given, error) => {
    const append = withEvents(inner, events).appendToStream('Order-1', [given as EventToAppend]);
    await expect(append).rejects.toMatchObject({ code: 'INVALID_EVENT', ...error });
    expect((await inner.readStream('Order-1')).version).toBe(0);
  });

  it.each([
    ['no list of events', 'Paid', 'appendToStream'],
    ['no events', [], 'appendToStream'],
    ['no list of commits', 'Paid', 'appendCommits'],
    ['no commits', [], 'appendCommits'],
    ['null in place of a commit', [null], 'appendCommits'],
    ['a commit without events', [{ commitId: 'a' }], 'appendCommits'],
  ] as const)('refuse %s as the store does', async (_what, given, method) => {
    const append = withEvents(inner, events)[method]('Order-1', given as never);
    await expect(append).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });

  it('store what the schema makes of the data', async () => {
    const trimmed = defineEvents({ Named: { schema: z.object({ name: z.string().trim() }) } });
    await withEvents(inner, trimmed).appendToStream('Order-1', [{ type: 'Named', data: { name: ' Ann ' } }]);
    expect(await dataIn('Order-1')).toEqual([{ name: 'Ann' }]);
  });

  it('refuse what the schema makes of the data when it is not JSON', async () => {
    const dated = defineEvents({ Dated: { schema: z.object({ at: z.coerce.date() }) } });
    const append = withEvents(inner, dated).appendToStream('Order-1', [
      { type: 'Dated', data: { at: '2024-01-01T00:00:00Z' } },
    ]);
    await expect(append).rejects.toMatchObject({ code: 'INVALID_EVENT', path: 'events[0].data.at' });
  });

  it.each([
    ['an index, as text', ['lines', '10', 'sku'], '.lines[10].sku'],
    ['a name with a digit in it', ['1st', 'line2'], '["1st"].line2'],
    ['objects with keys', [{ key: 'lines' }, { key: 0 }], '.lines[0]'],
    ['nothing', undefined, ''],
  ])('say where a schema finds a fault: at %s', async (_what, path, place) => {
    const schema: StandardSchema = {
      '~standard': {
        version: 1,
        vendor: 'test',
        validate: () => ({ issues: [{ message: 'Not right', ...(path && { path }) }] }),
      },
    };
    const append = withEvents(inner, defineEvents({ Said: { schema } })).appendToStream('Order-1', [
      { type: 'Said', data: 'wrong' },
    ]);
    await expect(append).rejects.toMatchObject({ path: `events[0].data${place}` });
  });

  it('refuse what a schema refuses without saying why', async () => {
    const schema: StandardSchema = {
      '~standard': { version: 1, vendor: 'test', validate: () => ({ issues: [] }) },
    };
    const append = withEvents(inner, defineEvents({ Said: { schema } })).appendToStream('Order-1', [
      { type: 'Said', data: 'wrong' },
    ]);
    await expect(append).rejects.toMatchObject({
      path: 'events[0].data',
      message: 'events[0].data does not fit its schema: no reason given (at events[0].data).',
      issues: [{ path: 'events[0].data', message: 'no reason given' }],
    });
  });

  it('tell all that a schema finds', async () => {
    const schema = z.object({ amount: z.number(), lines: z.array(z.object({ sku: z.string() })) });
    const append = withEvents(inner, defineEvents({ Paid: { schema } })).appendToStream('Order-1', [
      { type: 'Paid', data: { amount: '5', lines: [{}] } },
    ]);
    await expect(append).rejects.toMatchObject({
      path: 'events[0].data.amount',
      issues: [
        { path: 'events[0].data.amount', message: expect.stringMatching(/number/) as unknown },
        { path: 'events[0].data.lines[0].sku', message: expect.stringMatching(/string/) as unknown },
      ],
      message: expect.stringMatching(/amount\); .* \(at events\[0\]\.data\.lines\[0\]\.sku\)\.$/) as unknown,
    });
    await expect(append).rejects.not.toHaveProperty('moreIssues');
  });

  it('take a schema that is a function', async () => {
    const schema: StandardSchema = Object.assign(() => undefined, {
      '~standard': {
        version: 1 as const,
        vendor: 'test',
        validate: (value: unknown) =>
          value === 'right' ? { value } : { issues: [{ message: 'Not right', path: [{ key: 'there' }, 0] }] },
      },
    });
    const store = withEvents(inner, defineEvents({ Said: { schema } }));
    await store.appendToStream('Order-1', [{ type: 'Said', data: 'right' }]);
    await expect(store.appendToStream('Order-1', [{ type: 'Said', data: 'wrong' }])).rejects.toMatchObject({
      path: 'events[0].data.there[0]',
    });
  });
});

describe('a store with events', () => {
  it('has the capabilities of the store that it is around', () => {
    const store = withEvents(inner, defineEvents({}));
    expect(store.snapshots).toBe(inner.snapshots);
    expect(store.checkpoints).toBe(inner.checkpoints);
    expect(typeof store.statistics).toBe('function');
    expect(typeof store.trends).toBe('function');
    expect(typeof store.appendCommits).toBe('function');
  });

  it('has no capability that the store does not have', () => {
    const bare = withEvents(observe(inner).store, defineEvents({}));
    expect(Object.keys(bare).sort()).toEqual(['appendToStream', 'findCommit', 'readAll', 'readStream']);
  });

  it('finds commits and counts as the store does', async () => {
    const store = withEvents(inner, defineEvents({ Opened: {} }));
    await store.appendToStream('Order-1', [{ type: 'Opened', data: {} }], { commitId: 'c' });

    expect(await store.findCommit('Order-1', 'c')).toEqual(await inner.findCommit('Order-1', 'c'));
    expect(await store.statistics()).toEqual(await inner.statistics());
    expect(await store.trends({ interval: 'day' })).toEqual(await inner.trends({ interval: 'day' }));
  });
});

function same(data: unknown): unknown {
  return data;
}

function circular(): object {
  const value: Record<string, unknown> = {};
  value['self'] = value;
  return value;
}

function nested(levels: number): unknown {
  return Array.from({ length: levels }).reduce<unknown>((below) => [below], 0);
}
