import type { EventMetadata } from '../../core/events/event.js';
import type { StreamAppend } from '../../core/store/append/multi-stream-appends.js';
import { append, oneEach, streamsOf } from './several-streams.js';
import { currentVersions, errorOf, event, events, outcomesOf, versionsOf, type Suite } from './suite.js';

export function describeMultiStreamCommits({ describe, it, expect }: Suite): void {
  describe('append to streams exactly once', () => {
    it('stores a repeated commit once and returns the first result, whatever the streams are at', async (store, category) => {
      const streamIds = streamsOf(category);
      const [, other] = streamIds;
      const appends = oneEach(streamIds).map((part) => ({ ...part, expectedVersion: 'noStream' as const }));
      const first = await append(store, appends, { commitId: 'c' });
      await store.appendToStream(other, events(3));
      const again = await append(store, appends, { commitId: 'c' });

      expect(again).toEqual({
        ...first,
        deduplicated: true,
        parts: first.parts.map((part) => ({ ...part, deduplicated: true })),
      });
      expect(await currentVersions(store, streamIds)).toEqual([1, 4, 1]);
    });

    it('stores one of eight concurrent copies of a commit', async (store, category) => {
      const streamIds = streamsOf(category);
      const results = await Promise.all(
        Array.from({ length: 8 }, () => append(store, oneEach(streamIds), { commitId: 'c' })),
      );
      expect(results.filter(({ deduplicated }) => !deduplicated).length).toBe(1);
      const places = results.map(({ parts }) => parts.map((part) => ({ ...part, deduplicated: null })));
      expect(new Set(places.map((each) => JSON.stringify(each))).size).toBe(1);
      expect(await currentVersions(store, streamIds)).toEqual([1, 1, 1]);
    });

    it('takes other metadata and keys in another order for a repeat', async (store, category) => {
      const [home, other] = streamsOf(category);
      const given = (data: object, metadata: EventMetadata): readonly StreamAppend[] => [
        { streamId: home, events: [{ ...event('Happened', data), metadata }] },
        { streamId: other, events: [event()] },
      ];
      await append(store, given({ a: 1, b: 2 }, { actor: 'ann' }), { commitId: 'c' });
      const again = await append(store, given({ b: 2, a: 1 }, { actor: 'bob' }), { commitId: 'c' });
      expect(again.deduplicated).toBe(true);
      expect(await currentVersions(store, [home, other])).toEqual([1, 1]);
    });

    const changes: readonly (readonly [
      string,
      (parts: readonly [StreamAppend, StreamAppend, StreamAppend], ninth: string) => readonly StreamAppend[],
    ])[] = [
      ['without its last stream', ([home, other]) => [home, other]],
      ['without its home stream', ([, other, third]) => [other, third]],
      ['with the home stream alone', ([home]) => [home]],
      ['with one stream more', (parts, streamId) => [...parts, { streamId, events: [event()] }]],
      [
        'with another stream in place of the last',
        ([home, other, third], streamId) => [home, other, { ...third, streamId }],
      ],
      ['with its streams in another order', ([home, other, third]) => [home, third, other]],
      ['with another home stream', ([home, other, third]) => [other, home, third]],
      [
        'with other events for its last stream',
        ([home, other, third]) => [home, other, { ...third, events: [event('Other')] }],
      ],
      [
        'with an event more for its home stream',
        ([home, other, third]) => [{ ...home, events: [...home.events, event()] }, other, third],
      ],
      [
        'with the events of two streams exchanged',
        ([home, other, third]) => [
          { ...home, events: other.events },
          { ...other, events: home.events },
          third,
        ],
      ],
    ];
    for (const [what, change] of changes) {
      it(`refuses a repeat ${what}`, async (store, category) => {
        const streamIds = streamsOf(category);
        const ninth = `${category}-9`;
        const parts = oneEach(streamIds) as [StreamAppend, StreamAppend, StreamAppend];
        await append(store, parts, { commitId: 'c' });
        const error = await errorOf(append(store, change(parts, ninth), { commitId: 'c' }));
        expect(error).toMatchObject({ code: 'COMMIT_MISMATCH', commitId: 'c' });
        expect(await currentVersions(store, [...streamIds, ninth])).toEqual([1, 1, 1, 0]);
      });
    }

    it('takes no append to one of its streams for a repeat', async (store, category) => {
      const streamIds = streamsOf(category);
      const appends = oneEach(streamIds);
      await append(store, appends, { commitId: 'c' });
      for (const { streamId, events: given } of appends) {
        const error = await errorOf(store.appendToStream(streamId, given, { commitId: 'c' }));
        expect(error).toMatchObject({ code: 'COMMIT_MISMATCH', streamId, commitId: 'c' });
      }
      expect(await currentVersions(store, streamIds)).toEqual([1, 1, 1]);
    });

    for (const place of [0, 2] as const) {
      it(`refuses a commit id that stream ${place + 1} of its three has for an append of its own`, async (store, category) => {
        const streamIds = streamsOf(category);
        const appends = oneEach(streamIds);
        const { streamId, events: given } = appends[place] as StreamAppend;
        await store.appendToStream(streamId, given, { commitId: 'c' });
        const error = await errorOf(append(store, appends, { commitId: 'c' }));
        expect(error).toMatchObject({ code: 'COMMIT_MISMATCH', commitId: 'c' });
        const versions = [0, 0, 0];
        versions[place] = 1;
        expect(await currentVersions(store, streamIds)).toEqual(versions);
      });
    }

    it('refuses other events under its commit id before it looks at the expected versions', async (store, category) => {
      const [home, other] = streamsOf(category);
      const given = (type: string): readonly StreamAppend[] =>
        [home, other].map((streamId) => ({
          streamId,
          events: [event(type)],
          expectedVersion: 'noStream' as const,
        }));
      await append(store, given('One'), { commitId: 'c' });
      expect(await errorOf(append(store, given('Other'), { commitId: 'c' }))).toMatchObject({
        code: 'COMMIT_MISMATCH',
      });
    });

    it('stores one of two concurrent appends with one commit id and streams that overlap', async (store, category) => {
      const [home, other, third] = streamsOf(category);
      const { results, errors } = await outcomesOf([
        append(store, oneEach([home, other]), { commitId: 'c' }),
        append(store, oneEach([third, other]), { commitId: 'c' }),
      ]);
      expect([results.length, errors.length]).toEqual([1, 1]);
      expect(errors[0]).toMatchObject({ code: 'COMMIT_MISMATCH' });
      const isFirst = results[0]?.parts[0]?.streamId === home;
      expect(await currentVersions(store, [home, other, third])).toEqual(isFirst ? [1, 1, 0] : [0, 1, 1]);
    });
  });

  describe('append to streams at expected versions', () => {
    it('accepts what each stream is at', async (store, category) => {
      const [home, other, third] = streamsOf(category);
      const fourth = `${category}-4`;
      await store.appendToStream(home, events(2));
      await store.appendToStream(other, events(1));
      await append(store, [
        { streamId: home, events: [event()], expectedVersion: 2 },
        { streamId: other, events: [event()], expectedVersion: 'streamExists' },
        { streamId: third, events: [event()], expectedVersion: 'noStream' },
        { streamId: fourth, events: [event()], expectedVersion: 'any' },
      ]);
      expect(await currentVersions(store, [home, other, third, fourth])).toEqual([3, 2, 1, 1]);
    });

    for (const [place, expectedVersion] of [
      [0, 1],
      [1, 2],
      [1, 'streamExists'],
      [2, 3],
    ] as const) {
      it(`appends nothing when stream ${place + 1} of three is not at ${expectedVersion}`, async (store, category) => {
        const streamIds = streamsOf(category);
        const versions = [2, 0, 1];
        await Promise.all([
          store.appendToStream(streamIds[0], events(2)),
          store.appendToStream(streamIds[2], [event()]),
        ]);
        const appends = oneEach(streamIds).map((part, index) =>
          index === place ? { ...part, expectedVersion } : part,
        );
        expect(await errorOf(append(store, appends, { commitId: 'c' }))).toMatchObject({
          code: 'VERSION_CONFLICT',
          streamId: streamIds[place],
          expectedVersion,
          actualVersion: versions[place],
        });
        expect(await currentVersions(store, streamIds)).toEqual(versions);
      });
    }

    it('names the first stream, in the order given, that is at another version', async (store, category) => {
      const [home, other, third] = streamsOf(category);
      const appends = [
        { streamId: home, events: [event()] },
        { streamId: third, events: [event()], expectedVersion: 4 },
        { streamId: other, events: [event()], expectedVersion: 5 },
      ];
      expect(await errorOf(append(store, appends))).toMatchObject({
        code: 'VERSION_CONFLICT',
        streamId: third,
        expectedVersion: 4,
        actualVersion: 0,
      });
    });

    it('leaves streams and commit id as they were when it was refused', async (store, category) => {
      const [home, other] = streamsOf(category);
      const wrong = oneEach([home, other]).map((part, index) => ({
        ...part,
        ...(index === 1 && { expectedVersion: 1 }),
      }));
      await errorOf(append(store, wrong, { commitId: 'c' }));
      expect(await store.readStream(home)).toMatchObject({ version: 0, events: [], isEnd: true });
      expect(await store.findCommit(home, 'c')).toBe(undefined);

      const options = { commitId: 'c', expectedVersion: 'noStream' } as const;
      for (const streamId of [home, other]) {
        expect(await store.appendToStream(streamId, [event('Other')], options)).toMatchObject({
          version: 1,
          deduplicated: false,
        });
      }
    });

    it('lets one of eight racers through that expect the same of one of their streams', async (store, category) => {
      const contested = `${category}-contested`;
      const { results, errors } = await outcomesOf(
        Array.from({ length: 8 }, (_, racer) =>
          append(store, [
            { streamId: `${category}-${racer}`, events: [event()] },
            { streamId: contested, events: events(2), expectedVersion: 'noStream' },
          ]),
        ),
      );
      expect([results.length, errors.length]).toEqual([1, 7]);
      for (const error of errors) {
        expect(error).toMatchObject({ code: 'VERSION_CONFLICT', streamId: contested });
      }
      const own = Array.from({ length: 8 }, (_, racer) => `${category}-${racer}`);
      const winner = results[0]?.parts[0]?.streamId;
      expect(await currentVersions(store, own)).toEqual(own.map((streamId) => (streamId === winner ? 1 : 0)));
      expect(await currentVersions(store, [contested])).toEqual([2]);
    });
  });

  describe('append to streams beside others', () => {
    it('lets appends to the same streams in opposite orders all through', async (store, category) => {
      const [one, other] = streamsOf(category);
      await Promise.all(
        Array.from({ length: 8 }, (_, index) =>
          append(
            store,
            (index % 2 === 0 ? [one, other] : [other, one]).map((streamId) => ({
              streamId,
              events: events(2),
            })),
            { commitId: `commit-${index}` },
          ),
        ),
      );
      const orders = [];
      for (const streamId of [one, other]) {
        const slice = await store.readStream(streamId);
        expect(versionsOf(slice)).toEqual(Array.from({ length: 16 }, (_, index) => index + 1));
        const order = slice.events.map(({ commitId }) => commitId);
        // The two events of each stand together.
        expect(order).toEqual([...new Set(order)].flatMap((commitId) => [commitId, commitId]));
        orders.push(order);
      }
      expect(orders[0]).toEqual(orders[1]);
    });

    it('lets appends whose streams overlap through beside appends to one', async (store, category) => {
      const streamIds = streamsOf(category);
      await Promise.all(
        Array.from({ length: 6 }, async (_, index) => {
          const [one, other] = [0, 1].map((next) => streamIds[(index + next) % 3] as string) as [
            string,
            string,
          ];
          await Promise.all([
            append(store, oneEach([one, other])),
            store.appendToStream(one, [event('Single')]),
          ]);
        }),
      );
      for (const streamId of streamIds) {
        const slice = await store.readStream(streamId);
        expect(versionsOf(slice)).toEqual([1, 2, 3, 4, 5, 6]);
        const positions = slice.events.map(({ position }) => position);
        expect(positions).toEqual([...positions].sort((a, b) => a - b));
        const told = slice.events.filter(({ type }) => type === 'Happened').map(({ data }) => data);
        expect(told).toEqual(Array.from({ length: 4 }, () => ({ streamId })));
      }
    });
  });
}
