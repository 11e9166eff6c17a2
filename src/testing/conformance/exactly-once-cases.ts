import type { EventToAppend } from '../../core/events/event.js';
import { errorOf, event, events, type Suite } from './suite.js';

export function describeExactlyOnce({ describe, it, expect }: Suite): void {
  describe('exactly once', () => {
    it('stores a repeated commit once and returns the first result', async (store, category) => {
      const streamId = `${category}-1`;
      const options = { commitId: 'c', expectedVersion: 'noStream' } as const;
      const first = await store.appendToStream(streamId, events(2), options);
      await store.appendToStream(streamId, events(3));
      const again = await store.appendToStream(streamId, events(2), options);

      expect(first.deduplicated).toBe(false);
      expect(again).toEqual({ ...first, deduplicated: true });
      expect((await store.readStream(streamId)).version).toBe(5);
    });

    it('stores one of eight concurrent copies of a commit', async (store, category) => {
      const streamId = `${category}-1`;
      const results = await Promise.all(
        Array.from({ length: 8 }, () => store.appendToStream(streamId, events(2), { commitId: 'c' })),
      );

      expect(results.filter((result) => !result.deduplicated).length).toBe(1);
      expect(new Set(results.map((result) => JSON.stringify({ ...result, deduplicated: null }))).size).toBe(
        1,
      );
      expect((await store.readStream(streamId)).version).toBe(2);
    });

    const original: EventToAppend = {
      type: 'Paid',
      data: { amount: 5, to: { name: 'ann', iban: 'x' } },
      schemaVersion: 2,
      tags: ['a', 'b'],
      metadata: { actor: 'ann' },
      occurredAt: '2024-01-01T00:00:00Z',
    };
    const { occurredAt: _, ...withoutTime } = original;
    for (const [what, repeat] of [
      ['keys in another order', { ...original, data: { to: { iban: 'x', name: 'ann' }, amount: 5 } }],
      ['other metadata', { ...original, metadata: { actor: 'bob' } }],
      ['the same moment written otherwise', { ...original, occurredAt: '2024-01-01T01:00:00+01:00' }],
      ['no time', withoutTime],
      [
        'an absent property as undefined',
        { ...original, data: { ...(original.data as object), note: undefined } },
      ],
    ] as const) {
      it(`takes ${what} for a repeat`, async (store, category) => {
        const first = await store.appendToStream(`${category}-1`, [original], { commitId: 'c' });
        const again = await store.appendToStream(`${category}-1`, [repeat], { commitId: 'c' });
        expect(again).toEqual({ ...first, deduplicated: true });
      });
    }

    for (const [what, others] of [
      ['data', [{ ...original, data: { amount: 6, to: { name: 'ann', iban: 'x' } } }]],
      ['type', [{ ...original, type: 'Refunded' }]],
      ['schema version', [{ ...original, schemaVersion: 3 }]],
      ['tag', [{ ...original, tags: ['a', 'c'] }]],
      ['number of tags', [{ ...original, tags: ['a'] }]],
      ['tag on top', [{ ...original, tags: ['a', 'b', 'c'] }]],
      ['time', [{ ...original, occurredAt: '2024-01-01T00:00:01Z' }]],
      ['number of events', [original, original]],
    ] as const) {
      it(`refuses a repeat with another ${what}`, async (store, category) => {
        const streamId = `${category}-1`;
        await store.appendToStream(streamId, [original], { commitId: 'c' });
        const error = await errorOf(store.appendToStream(streamId, others, { commitId: 'c' }));

        expect(error).toMatchObject({ code: 'COMMIT_MISMATCH', streamId, commitId: 'c' });
        expect((await store.readStream(streamId)).version).toBe(1);
      });
    }

    it('counts a commit id per stream', async (store, category) => {
      const first = await store.appendToStream(`${category}-1`, [event()], { commitId: 'c' });
      const other = await store.appendToStream(`${category}-2`, [event('Other')], { commitId: 'c' });

      expect(first.deduplicated).toBe(false);
      expect(other.deduplicated).toBe(false);
      expect(first.eventIds[0] === other.eventIds[0]).toBe(false);
    });

    it('finds a commit by its id', async (store, category) => {
      const first = await store.appendToStream(`${category}-1`, events(2), { commitId: 'c' });
      await store.appendToStream(`${category}-1`, events(2));

      expect(await store.findCommit(`${category}-1`, 'c')).toEqual({ ...first, deduplicated: true });
      expect(await store.findCommit(`${category}-1`, 'other')).toBe(undefined);
      expect(await store.findCommit(`${category}-2`, 'c')).toBe(undefined);
    });

    it('knows a commit after many later ones, of its stream and of others', async (store, category) => {
      const streamId = `${category}-1`;
      const first = await store.appendToStream(streamId, events(2), { commitId: 'c' });
      await Promise.all(
        Array.from({ length: 40 }, (_, index) =>
          store.appendToStream(index % 4 === 0 ? `${category}-${index}` : streamId, [event()], {
            commitId: `later-${index}`,
          }),
        ),
      );

      expect(await store.findCommit(streamId, 'c')).toEqual({ ...first, deduplicated: true });
      const again = await store.appendToStream(streamId, events(2), { commitId: 'c' });
      expect(again).toEqual({ ...first, deduplicated: true });
      expect((await store.readStream(streamId, { limit: 1 })).version).toBe(32);
    });

    for (const expectedVersion of [0, 'noStream', 1, 9] as const) {
      it(`answers a repeat before it looks at the expected version ${expectedVersion}`, async (store, category) => {
        const streamId = `${category}-1`;
        const first = await store.appendToStream(streamId, events(1), { commitId: 'c' });
        await store.appendToStream(streamId, events(3));
        const again = await store.appendToStream(streamId, events(1), { commitId: 'c', expectedVersion });

        expect(again).toEqual({ ...first, deduplicated: true });
        expect((await store.readStream(streamId)).version).toBe(4);
      });
    }

    it('refuses other events under a commit id before it looks at the expected version', async (store, category) => {
      const streamId = `${category}-1`;
      const options = { commitId: 'c', expectedVersion: 'noStream' } as const;
      await store.appendToStream(streamId, [event()], options);
      const error = await errorOf(store.appendToStream(streamId, [event('Other')], options));
      expect(error).toMatchObject({ code: 'COMMIT_MISMATCH' });
    });

    it('stores one of eight concurrent copies of a commit that expects a version', async (store, category) => {
      const streamId = `${category}-1`;
      const options = { commitId: 'c', expectedVersion: 'noStream' } as const;
      const results = await Promise.all(
        Array.from({ length: 8 }, () => store.appendToStream(streamId, events(2), options)),
      );
      expect(results.filter((result) => !result.deduplicated).length).toBe(1);
      expect((await store.readStream(streamId)).version).toBe(2);
    });

    it('stores one of two concurrent appends that give other events the same commit id', async (store, category) => {
      const streamId = `${category}-1`;
      const outcomes = await Promise.allSettled(
        ['One', 'Other'].map((type) => store.appendToStream(streamId, [event(type)], { commitId: 'c' })),
      );
      const errors = outcomes.flatMap((each) => (each.status === 'rejected' ? [each.reason as unknown] : []));
      expect(errors.length).toBe(1);
      expect(errors[0]).toMatchObject({ code: 'COMMIT_MISMATCH' });
      expect((await store.readStream(streamId)).version).toBe(1);
    });

    it('stores equal events again under another commit id, or none', async (store, category) => {
      const streamId = `${category}-1`;
      for (const options of [{}, {}, { commitId: 'a' }, { commitId: 'b' }]) {
        expect(await store.appendToStream(streamId, [event()], options)).toMatchObject({
          deduplicated: false,
        });
      }
      expect((await store.readStream(streamId)).version).toBe(4);
    });

    it('leaves a commit id free when its append was refused', async (store, category) => {
      const streamId = `${category}-1`;
      await errorOf(store.appendToStream(streamId, [event()], { commitId: 'c', expectedVersion: 9 }));

      expect(await store.findCommit(streamId, 'c')).toBe(undefined);
      expect(await store.appendToStream(streamId, [event('Other')], { commitId: 'c' })).toMatchObject({
        version: 1,
        deduplicated: false,
      });
    });
  });
}
