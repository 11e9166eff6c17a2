/* eslint-disable @typescript-eslint/no-misused-spread -- what comes of it is the question */
import { defineEvents, mergeEvents, withEvents, type EventRegistry } from 'temporal-event-store';
import { MemoryEventStore } from 'temporal-event-store/memory';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';

const payments = defineEvents({
  Paid: {
    schemaVersion: 2,
    schema: z.object({ currency: z.string().default('EUR') }),
    upcast: { 1: () => ({ currency: 'USD' }) },
  },
});
const shipments = defineEvents({ Shipped: {} });

describe('registries that are merged', () => {
  it('are one of all their events', async () => {
    const inner = new MemoryEventStore();
    await inner.appendToStream('Order-1', [{ type: 'Paid', data: {} }]);
    const store = withEvents(inner, mergeEvents(payments, shipments));
    await store.appendToStream('Order-1', [
      { type: 'Paid', data: {} },
      { type: 'Shipped', data: {} },
    ]);
    expect((await store.readStream('Order-1')).events.map(({ type, data }) => [type, data])).toEqual([
      ['Paid', { currency: 'USD' }],
      ['Paid', { currency: 'EUR' }],
      ['Shipped', {}],
    ]);
  });

  it('say which types they have', () => {
    expect(mergeEvents(payments, shipments).types).toEqual(['Paid', 'Shipped']);
    expect(mergeEvents().types).toEqual([]);
  });

  it('may be merged again, and share a definition', () => {
    const both = mergeEvents(payments, shipments);
    expect(mergeEvents(both, shipments, defineEvents({ Lost: {} })).types).toEqual([
      'Paid',
      'Shipped',
      'Lost',
    ]);
  });

  it('must not define a type twice', () => {
    expect(() => mergeEvents(payments, shipments, defineEvents({ Shipped: {} }))).toThrow(
      expect.objectContaining({
        name: 'InvalidArgumentError',
        message: expect.stringContaining(`define 'Shipped'`) as string,
      }),
    );
  });

  it('may define types that objects have by themselves', async () => {
    const odd = defineEvents(JSON.parse('{ "__proto__": {}, "constructor": {} }') as Record<string, object>);
    const store = withEvents(new MemoryEventStore(), mergeEvents(odd, shipments) as EventRegistry);
    for (const type of ['__proto__', 'constructor', 'Shipped']) {
      await store.appendToStream('Odd-1', [{ type, data: {} }]);
    }
    await expect(store.appendToStream('Odd-1', [{ type: 'toString', data: {} }])).rejects.toThrow(
      `'toString'`,
    );
  });
});

describe.each<[string, unknown]>([
  ['spread', { ...payments, ...shipments }],
  ['copied', { ...payments }],
  ['written by hand', { definitions: { Paid: {} } }],
  ['a list', [payments, shipments]],
  ['nothing', undefined],
])('a registry that is %s', (_what, registry) => {
  it.each<[string, (registry: EventRegistry) => unknown]>([
    ['withEvents', (wrong) => withEvents(new MemoryEventStore(), wrong)],
    ['mergeEvents', (wrong) => mergeEvents(shipments, wrong)],
  ])('is refused by %s, which says what to do', (call, use) => {
    expect(() => use(registry as EventRegistry)).toThrow(
      expect.objectContaining({
        name: 'InvalidArgumentError',
        message: expect.stringMatching(new RegExp(`^${call} .*mergeEvents\\(a, b\\)`)) as string,
      }),
    );
  });
});
