import type { RecordedEvent } from '../../core/events/event.js';
import { iterateAll, iterateStream } from '../../core/store/read/iterate.js';
import { beginning, errorOf, event, events, turn, versionsOf, type Suite } from './suite.js';

const size = 1_000;
const versions = Array.from({ length: size }, (_, index) => index + 1);

async function versionsOfAll(events: AsyncIterable<RecordedEvent>): Promise<number[]> {
  const found: number[] = [];
  for await (const { version } of events) found.push(version);
  return found;
}

export function describeLargeCommits({ describe, it, expect }: Suite): void {
  describe('commits of many events', () => {
    it('stores 1,000 events as one commit', async (store, category) => {
      const streamId = `${category}-1`;
      const first = await store.appendToStream(streamId, events(size), { commitId: 'c' });
      expect(first).toMatchObject({ commitId: 'c', version: size, deduplicated: false });
      expect(new Set(first.eventIds).size).toBe(size);

      const stored = [];
      for await (const each of iterateStream(store, streamId)) stored.push(each);
      expect(stored.map(({ version }) => version)).toEqual(versions);
      expect(stored.map(({ data }) => data)).toEqual(events(size).map(({ data }) => data));
      expect(stored.map(({ id }) => id)).toEqual([...first.eventIds]);
      expect([...new Set(stored.map(({ commitId }) => commitId))]).toEqual(['c']);
      expect(await store.findCommit(streamId, 'c')).toEqual({ ...first, deduplicated: true });
      expect(await store.appendToStream(streamId, events(size), { commitId: 'c' })).toEqual({
        ...first,
        deduplicated: true,
      });
    });

    it('shows all or none of 1,000 events to those who read while they are appended', async (store, category) => {
      const streamId = `${category}-1`;
      const append = beginning(store.appendToStream(streamId, events(size)));
      const seen = new Set<number>();
      for (let round = 0; round < 20 && !append.isDone(); round++) {
        const filter = { categories: [category] };
        const [stream, [last]] = await Promise.all([
          store.readStream(streamId, { limit: 1 }),
          store.readAll({ filter, direction: 'backward', limit: 1 }).then((slice) => slice.events),
        ]);
        seen.add(stream.version).add(last?.version ?? 0);
        await turn();
      }
      await append.ended;
      seen.delete(0);
      seen.delete(size);
      expect([...seen]).toEqual([]);
      expect((await store.readStream(streamId, { limit: 1 })).version).toBe(size);
    });

    it('stores none of 1,000 events when the last is invalid', async (store, category) => {
      const given = [...events(size - 1), event('Happened', { price: Number.NaN })];
      const error = await errorOf(store.appendToStream(`${category}-1`, given));
      expect(error).toMatchObject({ code: 'INVALID_EVENT', path: `events[${size - 1}].data.price` });
      expect((await store.readStream(`${category}-1`)).version).toBe(0);
    });

    it('stores none of 1,000 events when the stream is not at the expected version', async (store, category) => {
      const append = store.appendToStream(`${category}-1`, events(size), { expectedVersion: 'streamExists' });
      expect(await errorOf(append)).toMatchObject({ code: 'VERSION_CONFLICT', actualVersion: 0 });
      expect((await store.readStream(`${category}-1`)).version).toBe(0);
    });

    it('keeps the events of concurrent commits of 200 events together', async (store, category) => {
      const commits = Array.from({ length: 3 }, (_, index) => `commit-${index}`);
      await Promise.all(
        commits.map((commitId) => store.appendToStream(`${category}-1`, events(200), { commitId })),
      );
      const found: string[] = [];
      for await (const { commitId } of iterateStream(store, `${category}-1`)) found.push(commitId);
      expect(found.length).toBe(600);
      // Each begins once.
      expect(found.filter((commitId, index) => commitId !== found[index - 1]).sort()).toEqual(commits);
    });

    it('gives 500 events of a stream where no limit is given, and says that there are more', async (store, category) => {
      await store.appendToStream(`${category}-1`, events(501));
      const slice = await store.readStream(`${category}-1`);
      expect([slice.version, slice.events.length, slice.isEnd]).toEqual([501, 500, false]);
      expect(versionsOf(slice)).toEqual(versions.slice(0, 500));
    });

    it('gives 500 events of the store where no limit is given, and says that there are more', async (store, category) => {
      await store.appendToStream(`${category}-1`, events(501));
      const slice = await store.readAll({ filter: { categories: [category] } });
      expect([slice.events.length, slice.isEnd]).toEqual([500, false]);
      expect(versionsOf(slice)).toEqual(versions.slice(0, 500));
    });

    it('says isEnd only where nothing is left, however many are asked for', async (store, category) => {
      const streamId = `${category}-1`;
      await store.appendToStream(streamId, events(size));
      const filter = { categories: [category] };
      const reads = await Promise.all(
        (['forward', 'backward'] as const)
          .flatMap((direction) => [
            iterateStream(store, streamId, { limit: size, direction }),
            iterateAll(store, { filter, limit: size, direction }),
          ])
          .map(versionsOfAll),
      );
      const reversed = [...versions].reverse();
      expect(reads).toEqual([versions, versions, reversed, reversed]);
    });
  });
}
