import fc from 'fast-check';
import type { ReadStreamOptions } from 'temporal-event-store';
import { cachingEventStore } from 'temporal-event-store/cache';
import { MemoryEventStore } from 'temporal-event-store/memory';
import { expect, it } from 'vitest';
import { deposited } from '../fixtures/account.js';

const streamIds = fc.constantFrom('Account-1', 'Account-2', 'Account-3');
const versions = fc.option(fc.integer({ min: 1, max: 12 }), { nil: undefined });
const steps = fc.oneof(
  fc.record({
    kind: fc.constant('append' as const),
    streamId: streamIds,
    count: fc.integer({ min: 1, max: 4 }),
    isAround: fc.boolean(),
  }),
  fc.record({
    kind: fc.constant('read' as const),
    streamId: streamIds,
    options: fc.record({
      fromVersion: versions,
      toVersion: versions,
      limit: fc.option(fc.integer({ min: 1, max: 6 }), { nil: undefined }),
      direction: fc.constantFrom('forward', 'forward', 'backward', undefined),
    }),
  }),
);

it('answers as the store does, after any appends and reads', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(steps, { maxLength: 40 }),
      fc.constantFrom({}, { max: 1 }, { maxBytes: 4000 }),
      async (sequence, options) => {
        const store = new MemoryEventStore();
        const cached = cachingEventStore(store, options);
        for (const step of sequence) {
          if (step.kind === 'append') {
            const events = Array.from({ length: step.count }, (_, index) => deposited(index));
            await (step.isAround ? store : cached).appendToStream(step.streamId, events);
          } else {
            const read = step.options as ReadStreamOptions;
            expect(await cached.readStream(step.streamId, read)).toEqual(
              await store.readStream(step.streamId, read),
            );
          }
        }
      },
    ),
    { numRuns: 300 },
  );
});
