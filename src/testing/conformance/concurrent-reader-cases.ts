import type { EventStore } from '../../core/store/event-store.js';
import { subscribe } from '../../core/store/read/subscribe.js';
import { beginning, event, events, turn, versionsOf, type Suite } from './suite.js';

/** Appends as several writers, each to a stream of its own, one after the other. */
async function write(store: EventStore, category: string): Promise<void> {
  await Promise.all(
    Array.from({ length: 3 }, async (_, writer) => {
      for (let round = 0; round < 3; round++) await store.appendToStream(`${category}-${writer}`, events(2));
    }),
  );
}

/** Per stream, the versions in the order in which they were seen. */
const expected = ['0', '1', '2'].map((writer) => [writer, [1, 2, 3, 4, 5, 6]]);

function byStream(
  category: string,
  seen: readonly { readonly streamId: string; readonly version: number }[],
): readonly unknown[] {
  return expected.map(([writer]) => [
    writer,
    versionsOf({
      events: seen.filter(({ streamId }) => streamId === `${category}-${String(writer)}`),
    } as never),
  ]);
}

export function describeConcurrentReaders({ describe, it, expect }: Suite): void {
  describe('reading while others append', () => {
    it('misses nothing and repeats nothing, page after page', async (store, category) => {
      const filter = { categories: [category] };
      const seen: { streamId: string; version: number; position: number }[] = [];
      const writing = beginning(write(store, category));
      let after = 0;
      for (let isLast = false; !isLast;) {
        // Asked before the page is: what is there by then, the page or one after it has.
        const wasWritten = writing.isDone();
        const slice = await store.readAll({ filter, after, limit: 5 });
        seen.push(...slice.events);
        after = slice.position;
        isLast = wasWritten && slice.isEnd;
        await turn();
      }
      await writing.ended;

      expect(byStream(category, seen)).toEqual(expected);
      const positions = seen.map(({ position }) => position);
      expect(positions).toEqual([...positions].sort((one, other) => one - other));
    });

    it('misses nothing and repeats nothing in a subscription that began before', async (store, category) => {
      const filter = { categories: [category] };
      const controller = new AbortController();
      const { signal } = controller;
      await store.appendToStream(`${category}-first`, [event()]);
      expect((await store.readAll({ filter })).events.length).toBe(1);

      const seen: { streamId: string; version: number }[] = [];
      let writing: ReturnType<typeof beginning> | undefined;
      for await (const each of subscribe(store, { filter, signal, pollInterval: 5, limit: 4 })) {
        seen.push(each);
        // It has caught up, and goes on live.
        writing ??= beginning(
          write(store, category).then(() => store.appendToStream(`${category}-last`, [event()])),
        );
        if (each.streamId === `${category}-last`) controller.abort();
      }
      await writing?.ended;

      expect(seen[0]?.streamId).toBe(`${category}-first`);
      expect(byStream(category, seen)).toEqual(expected);
    });

    it('reads a stream as it was at one moment', async (store, category) => {
      const streamId = `${category}-1`;
      const write = async (): Promise<void> => {
        for (let round = 0; round < 5; round++) await store.appendToStream(streamId, events(2));
      };
      const writing = beginning(write());
      while (!writing.isDone()) {
        const { version, events: found, isEnd } = await store.readStream(streamId);
        // As far as its version, without a hole.
        expect(found.map((each) => each.version)).toEqual(
          Array.from({ length: version }, (_, index) => index + 1),
        );
        expect(isEnd).toBe(true);
        await turn();
      }
      await writing.ended;
      expect((await store.readStream(streamId)).version).toBe(10);
    });

    it('has what an append stored, as soon as it has answered', async (store, category) => {
      const filter = { categories: [category] };
      for (let version = 1; version <= 3; version++) {
        const { position } = await store.appendToStream(`${category}-1`, [event()], {
          commitId: `c${version}`,
        });
        const [stream, all, backward, found] = await Promise.all([
          store.readStream(`${category}-1`),
          store.readAll({ filter }),
          store.readAll({ filter, direction: 'backward', limit: 1 }),
          store.findCommit(`${category}-1`, `c${version}`),
        ]);
        expect(stream.version).toBe(version);
        const last = [stream.events.at(-1), all.events.at(-1), backward.events[0]];
        expect(last.map((each) => each?.position)).toEqual([position, position, position]);
        expect(found).toMatchObject({ position, version });
      }
    });
  });
}
