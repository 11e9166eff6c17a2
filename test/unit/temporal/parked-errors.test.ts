import { defineProjection } from 'temporal-event-store';
import { MemoryEventStore, MemoryProjectionSink } from 'temporal-event-store/memory';
import { describe, expect, it } from 'vitest';
import { openToEnd } from './open-to-end.js';

/** What is kept of what a handler throws. */
async function keptOf(thrown: unknown): Promise<string | undefined> {
  const store = new MemoryEventStore();
  await store.appendToStream('S-1', [{ type: 'T', data: {} }]);
  const sink = new MemoryProjectionSink(() => ({}));
  const projection = defineProjection({
    name: 'failing',
    sink,
    onPoison: 'park',
    maxAttempts: 1,
    handlers: {
      T: () => {
        throw thrown;
      },
    },
  });
  const { run, parked } = await openToEnd(store, projection, sink);
  await run();
  const [first] = await parked();
  return first?.error;
}

describe('what a handler throws', () => {
  it.each<[string, unknown, string]>([
    ['an error', new TypeError('no such account'), 'TypeError: no such account'],
    ['an error with a zero byte', new Error('code \u0000'), 'Error: code \uFFFD'],
    ['an error with half a character', new Error('code \uD800'), 'Error: code \uFFFD'],
    ['a text', 'no', 'no'],
    ['nothing', undefined, 'undefined'],
  ])('is kept as a text that every database holds: %s', async (_what, thrown, kept) => {
    expect(await keptOf(thrown)).toBe(kept);
  });

  it.each([
    ['an object without a prototype', Object.create(null)],
    [
      'an object that throws when it is written',
      {
        toString: () => {
          throw new Error('no');
        },
      },
    ],
  ])('is told of, whatever it is: %s', async (_what, thrown) => {
    expect(await keptOf(thrown)).toMatch(/object/i);
  });

  it('is kept in part when it is long', async () => {
    expect((await keptOf(new Error('x'.repeat(1_000_000))))?.length).toBe(10_000);
  });
});
