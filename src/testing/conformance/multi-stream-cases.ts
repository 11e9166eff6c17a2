import type { StreamAppend } from '../../core/store/append/multi-stream-appends.js';
import type { JsonValue } from '../../core/values/json.js';
import { append, oneEach, streamsOf } from './several-streams.js';
import {
  abortedSignal,
  beginning,
  currentVersions,
  errorOf,
  event,
  events,
  turn,
  versionsOf,
  type StoreUnderTest,
  type Suite,
} from './suite.js';

export function describeMultiStreamAppends({ describe, it, expect }: Suite): void {
  describe('append to streams', () => {
    it('gives versions by stream, and results in the order given', async (store, category) => {
      const [home, other, third] = streamsOf(category);
      await store.appendToStream(other, events(2));
      const result = await append(
        store,
        [
          { streamId: home, events: events(1) },
          { streamId: other, events: events(3) },
          { streamId: third, events: events(2) },
        ],
        { commitId: 'c' },
      );
      expect(result).toMatchObject({ commitId: 'c', deduplicated: false });
      expect(result.parts.map(({ streamId, version }) => [streamId, version])).toEqual([
        [home, 1],
        [other, 5],
        [third, 2],
      ]);
      for (const part of result.parts) {
        expect(part).toMatchObject({ commitId: 'c', deduplicated: false });
        const stored = (await store.readStream(part.streamId)).events.slice(-part.eventIds.length);
        expect(stored.map(({ id }) => id)).toEqual([...part.eventIds]);
        expect(stored.at(-1)).toMatchObject({ version: part.version, position: part.position });
        expect([...new Set(stored.map(({ commitId }) => commitId))]).toEqual(['c']);
      }
    });

    it('stores each event in its stream as it was given', async (store, category) => {
      const given = streamsOf(category).map((streamId, part) => ({
        streamId,
        events: Array.from({ length: part + 1 }, (_, index) => ({
          type: `Type${part}`,
          data: { part, index, lines: [{ sku: 'a' }], note: null },
          tags: Array.from({ length: part }, (_each, tag) => `tag-${part}-${tag}`),
          metadata: { correlationId: `k-${part}`, actor: 'ann' },
          schemaVersion: index + 1,
          occurredAt: `2024-02-0${part + 1}T10:30:00.250Z`,
        })),
      }));
      await append(store, given);
      for (const { streamId, events: own } of given) {
        const slice = await store.readStream(streamId);
        expect(versionsOf(slice)).toEqual(own.map((_, index) => index + 1));
        expect(slice.events).toMatchObject(own.map((each) => ({ ...each, streamId })));
      }
    });

    it('gives positions that grow in the order given', async (store, category) => {
      const [home, other, third] = streamsOf(category);
      await append(store, [
        { streamId: third, events: events(2) },
        { streamId: home, events: events(1) },
        { streamId: other, events: events(2) },
      ]);
      const filter = { categories: [category, `${category}x`] };
      const found = (await store.readAll({ filter })).events;
      expect(found.map(({ streamId, version }) => [streamId, version])).toEqual([
        [third, 1],
        [third, 2],
        [home, 1],
        [other, 1],
        [other, 2],
      ]);
    });

    it('makes ids that differ among the streams', async (store, category) => {
      const { parts } = await append(
        store,
        streamsOf(category).map((streamId) => ({ streamId, events: events(2) })),
      );
      expect(new Set(parts.flatMap(({ eventIds }) => eventIds)).size).toBe(6);
    });

    it('chooses a commit id when none is given, the same for all streams', async (store, category) => {
      const [one, other] = [
        await append(store, oneEach(streamsOf(category))),
        await append(store, oneEach(streamsOf(category))),
      ];
      expect(new Set([one, ...one.parts].map(({ commitId }) => commitId)).size).toBe(1);
      expect(one.commitId === other.commitId).toBe(false);
      expect(await currentVersions(store, streamsOf(category))).toEqual([2, 2, 2]);
    });

    it('finds the commit on each of its streams, and on no other', async (store, category) => {
      const { parts } = await append(store, oneEach(streamsOf(category)), { commitId: 'c' });
      const found = await Promise.all(parts.map(({ streamId }) => store.findCommit(streamId, 'c')));
      expect(found).toEqual(parts.map((part) => ({ ...part, deduplicated: true })));
      expect(await store.findCommit(`${category}-9`, 'c')).toBe(undefined);
    });

    it('appends to 50 streams at once', async (store, category) => {
      const streamIds = Array.from({ length: 50 }, (_, index) => `${category}-${index}`);
      const { parts } = await append(store, oneEach(streamIds));
      expect(parts.map(({ streamId, version }) => [streamId, version])).toEqual(
        streamIds.map((streamId) => [streamId, 1]),
      );
      const { events: found } = await store.readAll({ filter: { categories: [category] } });
      expect(found.map(({ data }) => data)).toEqual(streamIds.map((streamId) => ({ streamId })));
    });

    it('tells streams apart whose ids are nearly alike', async (store, category) => {
      const streamIds = ['order', 'Order', 'caf\u00e9', 'cafe\u0301', 'space', 'space ', 'a_%', 'abcd'].map(
        (id) => `${category}-${id}`,
      );
      await append(store, oneEach(streamIds));
      for (const streamId of streamIds) {
        const slice = await store.readStream(streamId);
        expect(slice.events.map(({ data }) => data)).toEqual([{ streamId }]);
      }
    });

    it('is the same for one stream as an append to it, also as its repeat', async (store, category) => {
      const streamId = `${category}-1`;
      const part = { streamId, events: events(2) };
      const first = await append(store, [part], { commitId: 'c' });
      const second = await store.appendToStream(streamId, events(2), { commitId: 'd' });

      expect(first).toMatchObject({ commitId: 'c', deduplicated: false, parts: [{ streamId, version: 2 }] });
      expect(await store.appendToStream(streamId, events(2), { commitId: 'c' })).toEqual({
        ...first.parts[0],
        deduplicated: true,
      });
      expect(await append(store, [part], { commitId: 'd' })).toEqual({
        commitId: 'd',
        deduplicated: true,
        parts: [{ ...second, deduplicated: true }],
      });
      expect((await store.readStream(streamId)).version).toBe(4);
    });

    it('lists the streams in the metadata of each event when there are several', async (store, category) => {
      const streamIds = streamsOf(category);
      const own = { metadata: { actor: 'bob' } };
      const appends = streamIds.map((streamId) => ({ streamId, events: [event(), { ...event(), ...own }] }));
      await append(store, appends, { metadata: { actor: 'ann' } });
      for (const streamId of streamIds) {
        const { events: found } = await store.readStream(streamId);
        expect(found.map(({ metadata }) => metadata)).toEqual([
          { actor: 'ann', commitStreams: [...streamIds] },
          { actor: 'bob', commitStreams: [...streamIds] },
        ]);
      }
    });

    it('lists no streams in the metadata when there is one', async (store, category) => {
      await append(store, [{ streamId: `${category}-1`, events: [event()] }]);
      expect((await store.readStream(`${category}-1`)).events[0]?.metadata).toEqual({});
    });

    it('takes an event that names the streams of its commit', async (store, category) => {
      const streamIds = streamsOf(category);
      const metadata = { commitStreams: [...streamIds] };
      await append(
        store,
        streamIds.map((streamId) => ({ streamId, events: [{ ...event(), metadata }] })),
      );
      expect((await store.readStream(streamIds[1])).events[0]?.metadata).toEqual(metadata);
    });

    for (const [what, named] of [
      ['fewer streams', ([home]) => [home]],
      ['its streams in another order', (streamIds) => [...streamIds].reverse()],
      ['no list', () => null],
    ] as readonly (readonly [string, (streamIds: readonly string[]) => JsonValue])[]) {
      it(`refuses an event that names ${what}, in its own metadata or that of the append`, async (store, category) => {
        const streamIds = streamsOf(category);
        const metadata = { commitStreams: named(streamIds) };
        const [home, other, third] = oneEach(streamIds) as [StreamAppend, StreamAppend, StreamAppend];
        const own = { ...other, events: [event(), { ...event(), metadata }] };

        expect(await errorOf(append(store, [home, own, third]))).toMatchObject({
          code: 'INVALID_EVENT',
          path: 'appends[1].events[1].metadata.commitStreams',
        });
        expect(await errorOf(append(store, [home, other, third], { metadata }))).toMatchObject({
          code: 'INVALID_EVENT',
          path: 'metadata.commitStreams',
        });
        expect(await currentVersions(store, streamIds)).toEqual([0, 0, 0]);
      });
    }

    it("merges the append's metadata under each event's own", async (store, category) => {
      const [home, other] = streamsOf(category);
      const appends = [
        { streamId: home, events: [{ ...event(), metadata: { actor: 'bob' } }] },
        { streamId: other, events: [event()] },
      ];
      await append(store, appends, { metadata: { actor: 'ann', tenant: { id: 7 } } });
      for (const [streamId, actor] of [
        [home, 'bob'],
        [other, 'ann'],
      ] as const) {
        const [stored] = (await store.readStream(streamId)).events;
        expect(stored?.metadata).toEqual({ actor, tenant: { id: 7 }, commitStreams: [home, other] });
      }
    });

    it('shows all or none of its events to those who read while it is appended', async (store, category) => {
      const streamIds = Array.from({ length: 20 }, (_, index) => `${category}-${index}`);
      const [first, last] = [streamIds[0] as string, streamIds.at(-1) as string];
      const appending = beginning(
        append(
          store,
          streamIds.map((streamId) => ({ streamId, events: events(10) })),
        ),
      );
      const seen = new Set<string>();
      for (let round = 0; round < 20 && !appending.isDone(); round++) {
        for (const order of [
          [first, last],
          [last, first],
        ] as const) {
          // What one stream shows, another that is read after it shows, too.
          const [before] = await currentVersions(store, [order[0]]);
          const [after] = await currentVersions(store, [order[1]]);
          seen.add(`${String(before)} before ${String(after)}`);
        }
        seen.add(`${await countInAll(store, category)} in all`);
        await turn();
      }
      await appending.ended;
      const right = ['0 before 0', '0 before 10', '10 before 10', '0 in all', '200 in all'];
      for (const whole of right) seen.delete(whole);
      expect([...seen]).toEqual([]);
      expect(await countInAll(store, category)).toBe(200);
    });

    it('appends nothing when the signal is aborted, and rejects with its reason', async (store, category) => {
      const streamIds = streamsOf(category);
      const error = await errorOf(append(store, oneEach(streamIds), { signal: abortedSignal() }));
      expect(error).toMatchObject({ message: 'enough' });
      expect(await currentVersions(store, streamIds)).toEqual([0, 0, 0]);
    });

    it('appends nothing when one event is invalid, and says which', async (store, category) => {
      const [home, other] = streamsOf(category);
      const appends = [
        { streamId: home, events: [event()] },
        { streamId: other, events: [event(), event('Happened', { price: [Number.NaN] })] },
      ];
      const error = await errorOf(append(store, appends));
      expect(error).toMatchObject({ code: 'INVALID_EVENT', path: 'appends[1].events[1].data.price[0]' });
      expect(await currentVersions(store, [home, other])).toEqual([0, 0]);
    });

    it('counts the events of all streams as one commit against the limit of its size', async (store, category) => {
      const streamIds = streamsOf(category);
      const text = 'x'.repeat(700_000);
      const appends = streamIds.map((streamId) => ({ streamId, events: [event('Happened', { text })] }));
      const error = await errorOf(append(store, appends));
      expect(error).toMatchObject({ code: 'EVENT_TOO_LARGE', limit: 2_000_000 });
      expect((error as { size: number }).size > 2_000_000).toBe(true);
      expect(await currentVersions(store, streamIds)).toEqual([0, 0, 0]);
    });

    it('does not change when the caller changes its objects later', async (store, category) => {
      const [home, other] = streamsOf(category);
      const data = { lines: [1] };
      const tags = ['a'];
      const appends = [
        { streamId: home, events: [{ ...event('Happened', data), tags }] },
        { streamId: other, events: [event()] },
      ];
      const appending = append(store, appends);
      data.lines.push(2);
      tags.push('b');
      appends.reverse();
      const { parts } = await appending;
      expect(parts.map(({ streamId }) => streamId)).toEqual([home, other]);
      expect((await store.readStream(home)).events).toMatchObject([{ data: { lines: [1] }, tags: ['a'] }]);
    });

    it('is taken from a caller that has frozen it', async (store, category) => {
      const appends = streamsOf(category).map((streamId) =>
        Object.freeze({ streamId, events: Object.freeze([Object.freeze(event())]) }),
      );
      const metadata = Object.freeze({ tenant: 't' });
      await append(store, Object.freeze(appends), Object.freeze({ commitId: 'c', metadata }));
      expect(await currentVersions(store, streamsOf(category))).toEqual([1, 1, 1]);
    });

    for (const [what, appends, options] of [
      ['something else than a list', () => 'appends'],
      ['no appends', () => []],
      ['null in place of an append', () => [null]],
      ['undefined in place of an append', () => [undefined]],
      ['one stream twice', (own) => [own, { streamId: 'Other-1', events: [event()] }, own]],
      ['an append without events', (own) => [own, { streamId: 'Other-1', events: [] }]],
      ['an append that has no list of events', (own) => [own, { streamId: 'Other-1' }]],
      ['an append without a stream', (own) => [own, { events: [event()] }]],
      ['an empty stream id', (own) => [own, { streamId: '', events: [event()] }]],
      ['a numeric stream id', (own) => [own, { streamId: 7, events: [event()] }]],
      ['a stream id of 1,001 bytes', (own) => [own, { streamId: 'x'.repeat(1001), events: [event()] }]],
      ['an unknown option of an append', (own) => [{ ...own, expectVersion: 1 }]],
      ['an unknown expected version', (own) => [{ ...own, expectedVersion: 'latest' }]],
      ['a negative expected version', (own) => [{ ...own, expectedVersion: -1 }]],
      ['an unknown option', (own) => [own], { expectedVersion: 1 }],
      ['an empty commit id', (own) => [own], { commitId: '' }],
      ['metadata that is no object', (own) => [own], { metadata: 'me' }],
    ] as readonly (readonly [string, (own: object) => unknown, object?])[]) {
      it(`refuses ${what}`, async (store, category) => {
        const streamId = `${category}-1`;
        const given = appends({ streamId, events: [event()] });
        const error = await errorOf(append(store, given as StreamAppend[], options ?? {}));
        expect(error).toMatchObject({ code: 'INVALID_ARGUMENT' });
        expect(await currentVersions(store, [streamId])).toEqual([0]);
      });
    }
  });
}

/** The events of a category in a read of all, and in those that go on from it. */
async function countInAll(store: StoreUnderTest, category: string): Promise<number> {
  let count = 0;
  let after = 0;
  for (let isEnd = false; !isEnd;) {
    const slice = await store.readAll({ filter: { categories: [category] }, after });
    // A page may end amid a commit, and then the next has the rest.
    if (count === 0 && slice.events.length === 0) return 0;
    count += slice.events.length;
    after = slice.position;
    isEnd = slice.isEnd && slice.events.length === 0;
  }
  return count;
}
