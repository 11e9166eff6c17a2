import { MemoryEventStore } from 'temporal-event-store/memory';
import { describe, expect, it } from 'vitest';

const part = { streamId: 'Account-1', events: [{ type: 'Opened', data: {} }] };
const commit = { commitId: 'a', events: [{ type: 'Opened', data: {} }] };

/** An array of two with a hole where the first should be. */
function afterHole<T>(value: T): T[] {
  const values: T[] = [];
  values[1] = value;
  return values;
}

describe('a hole in a list', () => {
  it.each([
    ['of appends', (store: MemoryEventStore) => store.appendToStreams(afterHole(part))],
    [
      'of the filters of a condition',
      async (store: MemoryEventStore) => {
        const condition = { filter: afterHole({ types: ['A'] }), after: await store.readAll() };
        return store.appendToStream('Account-1', commit.events, { condition });
      },
    ],
    ['of commits', (store: MemoryEventStore) => store.appendCommits('Account-1', afterHole(commit))],
    [
      'of events',
      (store: MemoryEventStore) => store.appendToStream('Account-1', afterHole({ type: 'A', data: {} })),
    ],
    ['of filters', (store: MemoryEventStore) => store.readAll({ filter: afterHole({ types: ['A'] }) })],
    ['of types', (store: MemoryEventStore) => store.readAll({ filter: { types: afterHole('A') } })],
    ['of tags', (store: MemoryEventStore) => store.readAll({ filter: { tags: afterHole('A') } })],
  ])('%s is refused, not passed over', async (_of, call) => {
    const store = new MemoryEventStore();
    await expect(call(store)).rejects.toMatchObject({
      code: expect.stringMatching(/^INVALID_(ARGUMENT|EVENT)$/) as unknown,
    });
    expect((await store.readAll()).events).toEqual([]);
  });
});
