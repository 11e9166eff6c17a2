import { errorOf, event, events, versionsOf, type Suite } from './suite.js';

export function describeAppend({ describe, it, expect }: Suite): void {
  describe('append', () => {
    it('gives versions from 1 without gaps, and positions that grow', async (store, category) => {
      // So that a position is no version.
      await store.appendToStream(`${category}-other`, events(4));
      const first = await store.appendToStream(`${category}-1`, events(2));
      const second = await store.appendToStream(`${category}-1`, events(3));
      const slice = await store.readStream(`${category}-1`);

      expect(first).toMatchObject({ streamId: `${category}-1`, version: 2, deduplicated: false });
      expect(second).toMatchObject({ streamId: `${category}-1`, version: 5, deduplicated: false });
      expect(versionsOf(slice)).toEqual([1, 2, 3, 4, 5]);
      const positions = slice.events.map((each) => each.position);
      expect(positions).toEqual([...positions].sort((a, b) => a - b));
      expect(new Set(positions).size).toBe(5);
      expect(first.position).toBe(positions[1]);
      expect(second.position).toBe(positions[4]);
    });

    it('returns the ids of its events, which are different UUIDs', async (store, category) => {
      const first = await store.appendToStream(`${category}-1`, events(2));
      const second = await store.appendToStream(`${category}-1`, events(2));
      const slice = await store.readStream(`${category}-1`);

      expect(slice.events.map((each) => each.id)).toEqual([...first.eventIds, ...second.eventIds]);
      expect(new Set(slice.events.map((each) => each.id)).size).toBe(4);
      for (const { id } of slice.events) {
        expect(/^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/.test(id)).toBe(true);
      }
    });

    it('keeps every part of an event', async (store, category) => {
      const given = {
        type: 'Ordered',
        data: { lines: [{ sku: 'a', count: 2 }], note: null },
        schemaVersion: 3,
        metadata: { correlationId: 'c-1', causationId: 'c-0', actor: 'ann', tenant: { id: 7 } },
        tags: ['urgent', 'eu'],
        occurredAt: '2024-02-29T12:30:00.250+02:00',
      };
      await store.appendToStream(`${category}-1`, [given], { commitId: 'commit-1' });
      const [stored] = (await store.readStream(`${category}-1`)).events;

      expect(stored).toMatchObject({
        streamId: `${category}-1`,
        version: 1,
        commitId: 'commit-1',
        type: 'Ordered',
        data: given.data,
        schemaVersion: 3,
        metadata: given.metadata,
        tags: ['urgent', 'eu'],
        occurredAt: '2024-02-29T10:30:00.250Z',
      });
    });

    it('fills in the schema version, tags, metadata and times that are not given', async (store, category) => {
      await store.appendToStream(`${category}-1`, [event()]);
      const [stored] = (await store.readStream(`${category}-1`)).events;

      expect(stored).toMatchObject({ schemaVersion: 1, tags: [], metadata: {} });
      expect(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(stored?.recordedAt ?? '')).toBe(true);
      expect(stored?.occurredAt).toBe(stored?.recordedAt);
    });

    it("merges the append's metadata under each event's own", async (store, category) => {
      const own = [
        { ...event(), metadata: { actor: 'bob' } },
        { ...event(), metadata: { actor: undefined as unknown as string } },
      ];
      await store.appendToStream(`${category}-1`, own, { metadata: { actor: 'ann', tenant: 't' } });
      const slice = await store.readStream(`${category}-1`);

      expect(slice.events.map((each) => each.metadata.actor)).toEqual(['bob', 'ann']);
      expect(slice.events.map((each) => each.metadata['tenant'])).toEqual(['t', 't']);
    });

    it("replaces a part of the append's metadata by the event's own, and doesn't mix them", async (store, category) => {
      const own = [{ ...event(), metadata: { tenant: { id: 7 } } }];
      await store.appendToStream(`${category}-1`, own, { metadata: { tenant: { name: 'x' }, list: [1, 2] } });
      const [stored] = (await store.readStream(`${category}-1`)).events;
      expect(stored?.metadata).toEqual({ tenant: { id: 7 }, list: [1, 2] });
    });

    it('keeps tags in their order, and a tag that is given twice', async (store, category) => {
      const tags = ['b', 'a', 'c', 'a'];
      await store.appendToStream(`${category}-1`, [{ ...event(), tags }]);
      expect((await store.readStream(`${category}-1`)).events[0]?.tags).toEqual(tags);
    });

    it('keeps names of 1,000 bytes and the largest schema version', async (store, category) => {
      const name = `${'x'.repeat(996)}🙂`;
      const given = {
        ...event(name),
        tags: [name],
        metadata: { correlationId: name },
        schemaVersion: 2 ** 31 - 1,
      };
      await store.appendToStream(`${category}-1`, [given], { commitId: name });
      expect((await store.readStream(`${category}-1`)).events[0]).toMatchObject({ ...given, commitId: name });
    });

    it('takes a Date as occurredAt, and cuts finer digits than milliseconds', async (store, category) => {
      await store.appendToStream(`${category}-1`, [
        { ...event(), occurredAt: new Date(Date.UTC(2020, 0, 2)) },
        { ...event(), occurredAt: '2020-01-02T03:04:05.678999Z' },
      ]);
      const slice = await store.readStream(`${category}-1`);

      expect(slice.events.map((each) => each.occurredAt)).toEqual([
        '2020-01-02T00:00:00.000Z',
        '2020-01-02T03:04:05.678Z',
      ]);
    });

    for (const occurredAt of [
      '2024-01-01T00:00:00',
      '2024-01-01',
      '2024-02-30T00:00:00Z',
      '2024-01-01T24:00:00Z',
      '10000-01-01T00:00:00Z',
      '0000-06-01T00:00:00Z',
      'yesterday',
      new Date(Number.NaN),
      1704067200000,
    ]) {
      it(`refuses occurredAt ${String(occurredAt)} of type ${typeof occurredAt}`, async (store, category) => {
        const given = { ...event(), occurredAt: occurredAt as string };
        const error = await errorOf(store.appendToStream(`${category}-1`, [given]));
        expect(error).toMatchObject({ code: 'INVALID_EVENT', path: 'events[0].occurredAt' });
      });
    }

    it('stores nothing when one event of several is invalid', async (store, category) => {
      const given = [event(), event('Happened', { price: Number.NaN }), event()];
      const error = await errorOf(store.appendToStream(`${category}-1`, given));

      expect(error).toMatchObject({ code: 'INVALID_EVENT', path: 'events[1].data.price' });
      expect(await store.readStream(`${category}-1`)).toMatchObject({ version: 0, events: [] });
    });

    for (const [what, id] of [
      ['quotes and semicolons', `O'Brien"; drop table events; --`],
      ['Unicode', 'żółć-ünï-日本-🙂'],
      ['slashes, dots and percent signs', '../%00/*?x=1&y'],
      ['950 characters', 'x'.repeat(950)],
    ] as const) {
      it(`takes a stream id with ${what}`, async (store, category) => {
        await store.appendToStream(`${category}-${id}`, [event()]);
        const slice = await store.readStream(`${category}-${id}`);
        expect(slice).toMatchObject({ streamId: `${category}-${id}`, version: 1 });
        expect(slice.events[0]?.streamId).toBe(`${category}-${id}`);
      });
    }

    for (const [what, id] of [
      ['an empty', ''],
      ['a too long', 'x'.repeat(1001)],
      ['a too long Unicode', 'ü'.repeat(501)],
      ['a control character in the', 'a\u0000b'],
      ['a lone surrogate in the', 'a\ud800'],
      ['a numeric', 7],
      ['no', undefined],
    ] as const) {
      it(`refuses ${what} stream id, at appends and reads`, async (store) => {
        const streamId = id as string;
        expect(await errorOf(store.appendToStream(streamId, [event()]))).toMatchObject({
          code: 'INVALID_ARGUMENT',
        });
        expect(await errorOf(store.readStream(streamId))).toMatchObject({ code: 'INVALID_ARGUMENT' });
        expect(await errorOf(store.findCommit(streamId, 'c'))).toMatchObject({ code: 'INVALID_ARGUMENT' });
      });
    }

    for (const [what, given, options] of [
      ['no events', [], {}],
      ['something else than a list', 'events', {}],
      ['an unknown option', [event()], { expectVersion: 1 }],
      ['a negative expected version', [event()], { expectedVersion: -1 }],
      ['an unknown expected version', [event()], { expectedVersion: 'latest' }],
      ['an empty commit id', [event()], { commitId: '' }],
      ['a numeric commit id', [event()], { commitId: 7 }],
      ['a lone surrogate in a commit id', [event()], { commitId: 'a\ud800' }],
      ['a commit id of 1,001 bytes', [event()], { commitId: 'x'.repeat(1001) }],
      ['metadata that is no object', [event()], { metadata: 'me' }],
    ] as const) {
      it(`refuses ${what}`, async (store, category) => {
        const error = await errorOf(store.appendToStream(`${category}-1`, given as never, options as never));
        expect(error).toMatchObject({ code: 'INVALID_ARGUMENT' });
        expect((await store.readStream(`${category}-1`)).version).toBe(0);
      });
    }

    for (const [what, given, path] of [
      ['null in place of an event', null, 'events[0]'],
      ['an event without a type', { data: {} }, 'events[0].type'],
      ['an empty type', { type: '', data: {} }, 'events[0].type'],
      ['an event without data', { type: 'T' }, 'events[0].data'],
      ['a schema version of 0', { ...event(), schemaVersion: 0 }, 'events[0].schemaVersion'],
      ['metadata that is no object', { ...event(), metadata: [] }, 'events[0].metadata'],
      [
        'a numeric correlation id',
        { ...event(), metadata: { correlationId: 1 } },
        'events[0].metadata.correlationId',
      ],
      ['metadata that JSON drops', { ...event(), metadata: { a: [undefined] } }, 'events[0].metadata.a[0]'],
      ['tags that are no list', { ...event(), tags: 'urgent' }, 'events[0].tags'],
      ['an empty tag', { ...event(), tags: ['a', ''] }, 'events[0].tags[1]'],
      ['a lone surrogate in a type', event('a\ud800'), 'events[0].type'],
      ['a lone surrogate in a tag', { ...event(), tags: ['a\ud800'] }, 'events[0].tags[0]'],
      [
        'a lone surrogate in metadata',
        { ...event(), metadata: { actor: 'a\ud800' } },
        'events[0].metadata.actor',
      ],
      ['a type of 1,001 bytes', event('x'.repeat(1001)), 'events[0].type'],
      [
        'a schema version of more than 31 bits',
        { ...event(), schemaVersion: 2 ** 31 },
        'events[0].schemaVersion',
      ],
      ['a property that would be dropped', { ...event(), kind: 'Event' }, 'events[0].kind'],
    ] as const) {
      it(`refuses ${what}`, async (store, category) => {
        const error = await errorOf(store.appendToStream(`${category}-1`, [given] as never));
        expect(error).toMatchObject({ code: 'INVALID_EVENT', path });
      });
    }

    it('appends nothing when the signal is aborted, and rejects with its reason', async (store, category) => {
      const controller = new AbortController();
      controller.abort(new Error('enough'));
      const { signal } = controller;

      expect(await errorOf(store.appendToStream(`${category}-1`, [event()], { signal }))).toMatchObject({
        message: 'enough',
      });
      expect((await store.readStream(`${category}-1`)).version).toBe(0);
    });
  });
}
