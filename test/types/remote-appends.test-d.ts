import {
  defineEvents,
  withEvents,
  type AllSlice,
  type AppendResult,
  type EventStore,
  type MultiAppendResult,
  type MultiStreamAppends,
} from 'temporal-event-store';
import { cachingEventStore } from 'temporal-event-store/cache';
import type { TemporalEventStore } from 'temporal-event-store/client';
import { proxyEventStore } from 'temporal-event-store/workflow';
import type { eventStoreAppendStreams } from 'temporal-event-store/workflows';
import { describe, expectTypeOf, it } from 'vitest';
import { z } from 'zod';

const payments = defineEvents({
  Paid: { schema: z.object({ amount: z.number() }) },
  Failed: { schema: z.object({ why: z.string() }) },
});

declare const remote: TemporalEventStore;
declare const slice: AllSlice;
declare const result: AppendResult;

const paid = { type: 'Paid', data: { amount: 5 } } as const;

describe('a store behind Temporal', () => {
  it('appends to several streams, in a workflow and in a service', () => {
    expectTypeOf(proxyEventStore()).toExtend<EventStore & MultiStreamAppends>();
    expectTypeOf(remote).toExtend<EventStore & MultiStreamAppends>();
  });

  it('keeps that with a registry, and then takes its events only', async () => {
    for (const store of [
      withEvents(proxyEventStore(), payments),
      withEvents(cachingEventStore(remote), payments),
    ]) {
      expectTypeOf(
        await store.appendToStreams([{ streamId: 'Payment-1', events: [paid] }]),
      ).toEqualTypeOf<MultiAppendResult>();
      // @ts-expect-error -- a misspelt type
      await store.appendToStreams([{ streamId: 'Payment-1', events: [{ type: 'Payed', data: {} }] }]);
      // @ts-expect-error -- other data
      await store.appendToStreams([{ streamId: 'Payment-1', events: [{ type: 'Paid', data: {} }] }]);
      await store.appendToStream('Payment-1', [paid], {
        condition: { filter: { types: ['Paid'] }, after: await store.readAll() },
      });
      await store.appendToStreams([{ streamId: 'Payment-1', events: [paid] }], {
        // @ts-expect-error -- a misspelt type
        condition: { filter: { types: ['Payed'] }, after: slice },
      });
    }
  });

  it('takes no position that is not settled', async () => {
    const filter = {};
    await remote.appendToStream('Log-1', [paid], { condition: { filter, after: slice } });
    // @ts-expect-error -- the position of an append
    await remote.appendToStream('Log-1', [paid], { condition: { filter, after: result.position } });
    // @ts-expect-error -- an append under way may have a smaller position
    await remote.appendToStream('Log-1', [paid], { condition: { filter, after: result } });
  });
});

describe('the workflow eventStoreAppendStreams', () => {
  it('takes what a workflow or client of another language sends: no signal', () => {
    type Input = Parameters<typeof eventStoreAppendStreams>[0];
    expectTypeOf<NonNullable<Input['options']>>().not.toHaveProperty('signal');
    expectTypeOf<ReturnType<typeof eventStoreAppendStreams>>().resolves.toEqualTypeOf<MultiAppendResult>();
  });
});
