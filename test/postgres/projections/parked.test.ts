import pg from 'pg';
import type { BuildHook, EventFailure, ProjectionSink, RecordedEvent } from 'temporal-event-store';
import { PGliteProjectionSink } from 'temporal-event-store/pglite';
import { PostgresProjectionSink } from 'temporal-event-store/postgres';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openPGliteStore } from '../../support/pglite.js';
import { createDatabase } from '../../support/postgres.js';

type Sink = ProjectionSink<unknown>;

const large = 'x'.repeat(1_900_000);
const none: BuildHook<unknown> = undefined;
const idAt = (position: number): string => `00000000-0000-4000-8000-${String(position).padStart(12, '0')}`;

function eventAt(position: number, streamId: string, text = ''): RecordedEvent {
  return {
    id: idAt(position),
    streamId,
    version: position,
    position,
    commitId: 'c',
    type: 'Happened',
    schemaVersion: 1,
    data: { text, zero: '\u0000' },
    metadata: {},
    tags: [],
    occurredAt: '2024-01-01T00:00:00.000Z',
    recordedAt: '2024-01-01T00:00:00.000Z',
  };
}

const failureOf = (event: RecordedEvent): EventFailure => ({ event, error: 'poison', attempts: 2 });

async function parkIn(sink: Sink, build: number, events: readonly RecordedEvent[]): Promise<void> {
  const shard = { name: 'totals', build, shard: 0 };
  const { token } = await sink.acquire(shard);
  const progress = { checkpoint: { storeId: 's', position: 0 }, applied: 0, rate: 0 };
  await sink.commit(shard, token, progress, async ({ park }) => {
    for (const event of events) await park(failureOf(event));
  });
}

describe.each<[string, () => Promise<Sink>]>([
  [
    'PostgresProjectionSink',
    async () => {
      const { url } = await createDatabase();
      const pool = new pg.Pool({ connectionString: url, max: 2 });
      onTestFinished(() => pool.end());
      return new PostgresProjectionSink({ pool });
    },
  ],
  [
    'PGliteProjectionSink',
    async () => {
      const store = await openPGliteStore();
      onTestFinished(() => store.close());
      return new PGliteProjectionSink({ store });
    },
  ],
])('events that were parked in a %s', (_name, openSink) => {
  it('are told without what is in them, the first ones, and to the owner by their places', async () => {
    const sink = await openSink();
    const [live] = await sink.open({ name: 'totals', version: 1, shards: 1 }, none);
    const build = live?.build ?? 0;
    await parkIn(sink, build, [
      eventAt(1, 'A-1', large),
      eventAt(2, 'A-1', large),
      eventAt(3, 'B-1', large),
      eventAt(4, 'C-1'),
    ]);
    const shard = { name: 'totals', build, shard: 0 };
    const skip = { action: 'skip', eventId: idAt(4), operator: 'Ann', reason: 'wrong' } as const;
    expect(await sink.decide('totals', build, skip)).toBe(true);
    expect(await sink.decide('totals', build, { action: 'retry', eventId: idAt(2) })).toBe(true);

    expect((await sink.acquire(shard)).parked).toEqual({
      streams: ['A-1', 'B-1'],
      retrying: ['A-1'],
      skipped: [idAt(4)],
      blocking: [],
    });
    const listed = await sink.parked('totals', build, 2);
    expect(listed.map(({ event, error, status }) => ({ ...event, error, status }))).toEqual(
      [1, 2].map((position) => ({
        id: idAt(position),
        streamId: 'A-1',
        version: position,
        position,
        type: 'Happened',
        error: 'poison',
        status: 'retrying',
      })),
    );
  });

  it('are given one at a time to who tries them again, and wait again when one fails', async () => {
    const sink = await openSink();
    const [live] = await sink.open({ name: 'totals', version: 1, shards: 1 }, none);
    const build = live?.build ?? 0;
    const shard = { name: 'totals', build, shard: 0 };
    const [first, second] = [eventAt(1, 'A-1', large), eventAt(2, 'A-1')];
    await parkIn(sink, build, [second, first]);
    expect(await sink.nextRetried(shard, 'A-1')).toBeUndefined();
    await sink.decide('totals', build, { action: 'retry', eventId: idAt(1) });
    const { token } = await sink.acquire(shard);
    expect(await sink.nextRetried(shard, 'A-1')).toEqual(first);

    await sink.commit(shard, token, { applied: 0, rate: 0 }, async ({ park, parkBehind }) => {
      await park({ ...failureOf(first), error: 'again' });
      await parkBehind('A-1', 'behind');
    });

    expect(await sink.nextRetried(shard, 'A-1')).toBeUndefined();
    expect(await sink.parked('totals', build, 10)).toMatchObject([
      { event: { position: 1 }, error: 'again', attempts: 2, status: 'parked' },
      { event: { position: 2 }, error: 'behind', attempts: 0, status: 'parked' },
    ]);
  });

  it('may be about any text, and have any reason', async () => {
    const sink = await openSink();
    const [live] = await sink.open({ name: 'totals', version: 1, shards: 1 }, none);
    const build = live?.build ?? 0;
    const shard = { name: 'totals', build, shard: 0 };
    const [one, two] = [eventAt(1, 'A-1'), eventAt(2, 'A-1')];
    const hostile = 'a\u0000b\uD800';
    await parkIn(sink, build, [one, two]);
    await sink.decide('totals', build, { action: 'retry', eventId: idAt(1) });
    const { token } = await sink.acquire(shard);

    await sink.commit(shard, token, { applied: 0, rate: 0 }, async ({ park, parkBehind }) => {
      await park({ ...failureOf(one), error: hostile });
      await parkBehind('A-1', hostile);
    });
    await sink.decide('totals', build, {
      action: 'skip',
      eventId: idAt(2),
      operator: hostile,
      reason: hostile,
    });
    await sink.reportStop(shard, token, { ...failureOf(eventAt(3, 'B-1')), error: hostile });

    const stored = 'a\uFFFDb\uFFFD';
    expect(await sink.parked('totals', build, 10)).toMatchObject([
      { error: stored },
      { error: stored, operator: stored, reason: stored },
      { error: stored, status: 'blocking' },
    ]);
  });

  it('are given to who tries them again as they were stored, also what no handler could read', async () => {
    const sink = await openSink();
    const [live] = await sink.open({ name: 'totals', version: 1, shards: 1 }, none);
    const build = live?.build ?? 0;
    const raw = {
      ...eventAt(1, 'A-1'),
      schemaVersion: 99,
      data: { ['__proto__']: 1, list: [null, 1e300, 'ü'], of: { a: {} } },
    };
    await parkIn(sink, build, [raw]);
    await sink.decide('totals', build, { action: 'retry', eventId: idAt(1) });
    expect(await sink.nextRetried({ name: 'totals', build, shard: 0 }, 'A-1')).toEqual(raw);
  });

  it('behind one are no more to who takes over than the one is', async () => {
    const sink = await openSink();
    const [live] = await sink.open({ name: 'totals', version: 1, shards: 1 }, none);
    const events = Array.from({ length: 300 }, (_, index) => eventAt(index + 1, 'A-1'));
    await parkIn(sink, live?.build ?? 0, events);
    const { parked } = await sink.acquire({ name: 'totals', build: live?.build ?? 0, shard: 0 });
    expect(parked).toEqual({ streams: ['A-1'], retrying: [], skipped: [], blocking: [] });
  });

  it('are skipped in a new build when they were, in the shard of their stream', async () => {
    const sink = await openSink();
    const [live] = await sink.open({ name: 'totals', version: 1, shards: 1 }, none);
    await parkIn(sink, live?.build ?? 0, [eventAt(1, 'A-1', large), eventAt(2, 'B-1')]);
    const skip = { action: 'skip', eventId: idAt(1), operator: 'Ann', reason: 'wrong' } as const;
    await sink.decide('totals', live?.build ?? 0, skip);

    const { build } = await sink.begin(
      { name: 'totals', version: 2, shards: 3 },
      { init: none, reset: none },
    );

    expect(await sink.parked('totals', build, 10)).toMatchObject([
      {
        event: { id: idAt(1) },
        error: 'poison',
        attempts: 2,
        status: 'skipped',
        operator: 'Ann',
        reason: 'wrong',
      },
    ]);
    const places = await Promise.all(
      [0, 1, 2].map(async (shard) => (await sink.acquire({ name: 'totals', build, shard })).parked.skipped),
    );
    expect(places.flat()).toEqual([idAt(1)]);
  });
});
