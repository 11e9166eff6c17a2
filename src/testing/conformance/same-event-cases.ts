import type { RecordedEvent } from '../../core/events/event.js';
import type { EventStore } from '../../core/store/event-store.js';
import { iterateAll, iterateStream } from '../../core/store/read/iterate.js';
import { event, turn, type Suite } from './suite.js';

/** The events of a stream as each of the reads gives them, in the order of their versions. */
async function readEachWay(
  store: EventStore,
  category: string,
): Promise<readonly (readonly RecordedEvent[])[]> {
  const streamId = `${category}-1`;
  const filter = { categories: [category] };
  const filters = [{ ...filter, types: ['Paid'] }, filter];
  const reads = await Promise.all(
    [
      iterateStream(store, streamId),
      iterateStream(store, streamId, { direction: 'backward' }),
      iterateAll(store, { filter, limit: 1 }),
      iterateAll(store, { filter, direction: 'backward' }),
      iterateAll(store, { filter: filters }),
    ].map(all),
  );
  return reads.map((events) => [...events].sort((one, other) => one.version - other.version));
}

async function all(events: AsyncIterable<RecordedEvent>): Promise<RecordedEvent[]> {
  const found: RecordedEvent[] = [];
  for await (const each of events) found.push(each);
  return found;
}

/** Waits until the clock has moved on from what it shows now. */
async function untilLater(): Promise<void> {
  const now = Date.now();
  while (Date.now() <= now + 1) await turn(1);
}

const given = [
  {
    ...event('Opened', { b: 1, a: [null] }),
    tags: ['y', 'x'],
    metadata: { actor: 'ann', correlationId: 'k' },
  },
  { ...event('Paid', { amount: 0.1 }), schemaVersion: 3, occurredAt: '2024-02-29T10:30:00.250Z' },
];

/** What a mistake would change in some reads only. */
const parts: readonly (readonly [string, (event: RecordedEvent) => unknown])[] = [
  ['id', ({ id }) => id],
  ['time of recording', ({ recordedAt }) => recordedAt],
];

export function describeSameEvents({ describe, it, expect }: Suite): void {
  describe('an event stays the same', () => {
    for (const [what, partOf] of parts) {
      it(`has the same ${what} in each read, now and later`, async (store, category) => {
        const { eventIds } = await store.appendToStream(`${category}-1`, given);
        const now = await readEachWay(store, category);
        await untilLater();
        const later = await readEachWay(store, category);

        const [first] = now;
        expect(first?.map(({ id }) => id)).toEqual([...eventIds]);
        for (const events of [...now, ...later]) expect(events.map(partOf)).toEqual(first?.map(partOf));
      });
    }

    it('has the same parts in each read', async (store, category) => {
      // So that a position is no version.
      await store.appendToStream(`${category}x-1`, given);
      await store.appendToStream(`${category}-1`, given);
      const [first, ...others] = await readEachWay(store, category);
      expect(first?.map(({ type }) => type)).toEqual(['Opened', 'Paid']);
      for (const events of others) expect(events).toEqual(first);
    });

    it('does not change when a reader changes what it got', async (store, category) => {
      await store.appendToStream(`${category}-1`, given);
      const read = await readEachWay(store, category);
      expect(read.map((events) => events.length)).toEqual(read.map(() => given.length));
      const before = JSON.stringify(read[0]);
      for (const events of read) {
        for (const each of events) {
          (each.data as Record<string, unknown>)['changed'] = true;
          (each.metadata as Record<string, unknown>)['changed'] = true;
          (each.tags as string[]).push('changed');
        }
      }
      for (const events of await readEachWay(store, category)) expect(JSON.stringify(events)).toBe(before);
    });

    it('is taken from a caller that has frozen it, and left as it was', async (store, category) => {
      const own = Object.freeze({
        ...event('Opened', Object.freeze({ lines: Object.freeze([1]) })),
        tags: Object.freeze(['b', 'a']),
        metadata: Object.freeze({ actor: 'ann' }),
      });
      const options = Object.freeze({ commitId: 'c', metadata: Object.freeze({ tenant: 't' }) });
      const before = JSON.stringify([own, options]);
      await store.appendToStream(`${category}-1`, Object.freeze([own]), options);
      expect(JSON.stringify([own, options])).toBe(before);
      expect(await store.readStream(`${category}-1`)).toMatchObject({ version: 1 });
    });
  });
}
