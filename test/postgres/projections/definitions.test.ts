import pg from 'pg';
import type { ProjectionBuild, ProjectionSink } from 'temporal-event-store';
import { MemoryProjectionSink } from 'temporal-event-store/memory';
import { PGliteProjectionSink } from 'temporal-event-store/pglite';
import { PostgresEventStore, PostgresProjectionSink } from 'temporal-event-store/postgres';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openPGliteStore } from '../../support/pglite.js';
import { createDatabase, query } from '../../support/postgres.js';

type Sink = ProjectionSink<unknown>;

const spec = { name: 'totals', version: 1, shards: 1 };
const progress = { checkpoint: { storeId: 's', position: 1 }, applied: 1, rate: 0 };
const none = { init: undefined, reset: undefined };

async function usePostgres() {
  const database = await createDatabase();
  const pool = new pg.Pool({ connectionString: database.url, max: 2 });
  onTestFinished(() => pool.end());
  return { database, pool, sink: new PostgresProjectionSink({ pool }) };
}

describe.each<[string, () => Promise<Sink>]>([
  ['PostgresProjectionSink', async () => (await usePostgres()).sink],
  [
    'PGliteProjectionSink',
    async () => {
      const store = await openPGliteStore();
      onTestFinished(() => store.close());
      return new PGliteProjectionSink({ store });
    },
  ],
  ['MemoryProjectionSink', async () => new MemoryProjectionSink(() => ({}))],
])('a definition in a %s', (_name, openSink) => {
  it('with another fingerprint than that of the live build is refused until its version is raised', async () => {
    const sink = await openSink();
    const first = { ...spec, fingerprint: 'one' };
    expect(await sink.open(first, undefined)).toMatchObject([{ fingerprint: 'one', role: 'live' }]);
    const other = { ...spec, fingerprint: 'two' };

    await expect(sink.open(other, undefined)).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringMatching(/'one'.*'two'.*raise the version/) as string,
    });

    await sink.open(spec, undefined);
    await sink.open(first, undefined);
    const next = { ...other, version: 2 };
    await sink.open(next, undefined);
    const { build, fingerprint } = await sink.begin(next, none);
    expect(fingerprint).toBe('two');
    await sink.activate('totals', build, undefined);
    await sink.open(next, undefined);
    await expect(sink.open({ ...next, fingerprint: 'one' }, undefined)).rejects.toThrow("'two'");
  });

  it.each([
    [1, 2],
    [2, 1],
  ])(
    'with other shards than the live build, %i before and %i now, leaves that what it has',
    async (before, now) => {
      const sink = await openSink();
      const [live] = await sink.open({ ...spec, shards: before }, undefined);
      const shard = { name: 'totals', build: (live as ProjectionBuild).build, shard: before - 1 };
      const { token } = await sink.acquire(shard);

      expect(await sink.open({ ...spec, shards: now }, undefined)).toMatchObject([{ shards: before }]);
      await sink.commit(shard, token, progress, async () => undefined);
      expect((await sink.open({ ...spec, shards: now }, undefined))[0]?.progress[before - 1]).toEqual(
        progress,
      );

      const { build } = await sink.begin({ ...spec, version: 2, shards: now }, none);
      await sink.activate('totals', build, undefined);
      expect(await sink.open({ ...spec, version: 2, shards: now }, undefined)).toMatchObject([
        { role: 'previous', shards: before },
        { role: 'live', shards: now },
      ]);
    },
  );
});

describe('a schema that has tables of others', () => {
  it.each([
    ['builds', 'create table event_store_projections.builds (id int)'],
    ['parked', 'create view event_store_projections.parked as select 1 as car'],
    ['tokens', 'create table event_store_projections.tokens (token text)'],
    ['shards', 'create table event_store_projections.shards (company text, amount int)'],
  ])('named %s is none for a sink, which says so', async (name, make) => {
    const { database, pool, sink } = await usePostgres();
    await query(database.directUrl, 'create schema event_store_projections');
    await query(database.directUrl, make);

    await expect(sink.open(spec, undefined)).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringMatching(
        new RegExp(`"event_store_projections" has a "${name}".*'schema'`),
      ) as string,
    });

    await new PostgresProjectionSink({ pool, schema: 'elsewhere' }).open(spec, undefined);
  });

  it('of a version before is brought up to date', async () => {
    const { database, pool, sink } = await usePostgres();
    await sink.open(spec, undefined);
    await query(database.directUrl, 'alter table event_store_projections.builds drop column fingerprint');
    const newer = new PostgresProjectionSink({ pool });
    expect(await newer.open({ ...spec, fingerprint: 'one' }, undefined)).toMatchObject([{ version: 1 }]);
  });

  it.each([
    ['events', 'create table taken.events (id int)'],
    ['migrations', 'create table taken.migrations (id int, applied text)'],
    ['streams', 'create table taken.streams (name text)'],
  ])('named %s is none for a store, which says so', async (name, make) => {
    const { database } = await usePostgres();
    await query(database.directUrl, 'create schema taken');
    await query(database.directUrl, make);
    const store = await PostgresEventStore.connect({ connectionString: database.url, schema: 'taken' });
    onTestFinished(() => store.close());

    await expect(store.migrate()).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringContaining(`"taken" has a "${name}" that isn't the event store's`) as string,
    });
  });
});
