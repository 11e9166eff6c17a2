import pg from 'pg';
import { subscribe } from 'temporal-event-store';
import { PostgresEventStore, PostgresProjectionSink, grantScript } from 'temporal-event-store/postgres';
import { describeEventStore } from 'temporal-event-store/testing';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, test } from 'vitest';
import { openAppend } from '../../support/open-append.js';
import { createDatabase, createRole, query } from '../../support/postgres.js';
import { createShadowedDatabase, findShadowed } from '../../support/shadows.js';

const happened = [{ type: 'Happened', data: {} }];

let shadowed: Awaited<ReturnType<typeof createShadowedDatabase>>;
let store: PostgresEventStore;
beforeAll(async () => {
  shadowed = await createShadowedDatabase();
  store = await PostgresEventStore.connect({ connectionString: shadowed.shadowedUrl });
  await store.migrate();
});
afterAll(() => store.close());

describe('among the shadows is found', () => {
  test.each([
    ['a function', 'select now()'],
    ['an aggregate', 'select max(position) from event_store.events'],
    ['a count', 'select count(*) from event_store.events'],
    ['a function of a table', 'select from generate_series(1, 2)'],
    ['an operator', 'select from event_store.events where position = 1'],
    ['what BETWEEN stands for', 'select from event_store.events where position between 1 and 2'],
    ['what IN stands for', 'select from event_store.events where position in (1, 2)'],
    ['what NULLIF stands for', 'select nullif(position, 1) from event_store.events'],
    ['what IS DISTINCT FROM stands for', 'select from event_store.events where position is distinct from 1'],
    ['what CASE stands for', 'select case position when 1 then 2 end from event_store.events'],
    ['what USING stands for', 'select from event_store.streams join event_store.events using (stream_id)'],
    ['a type', `select '1'::text`],
    ['a view', 'select locktype from pg_locks'],
  ])('%s', async (_what, sql) => {
    await expect(query(shadowed.shadowedUrl, sql)).rejects.toThrow(
      /permission denied for function|not an aggregate|malformed record|"locktype" does not exist/,
    );
  });

  test('a collation, which a column keeps', async () => {
    const table = 'event_store.of_shadows';
    await query(shadowed.shadowedUrl, `create table ${table} (name pg_catalog.text collate "C")`);
    onTestFinished(() => query(shadowed.shadowedUrl, `drop table ${table}`).then(() => undefined));

    expect(await findShadowed(shadowed.database)).toEqual([`column name of table ${table}`]);
  });
});

describe('a store whose sessions look among the shadows first', () => {
  describeEventStore('', () => store, {
    capabilities: ['appendCommits', 'appendToStreams', 'snapshots', 'checkpoints', 'statistics'],
    describe,
    it,
    expect,
  });

  test('reads in order behind an append that is under way', async () => {
    const slow = await openAppend(store, shadowed.shadowedUrl, 'Slow-1');
    const { position } = await store.appendToStream('Fast-1', happened);
    const reading = [{}, { filter: { types: ['Happened'] } }].map((options) =>
      store.readAll({ ...options, after: slow.position - 1 }),
    );
    await slow.commit();

    for (const { events } of await Promise.all(reading)) {
      expect(events.map((event) => event.position)).toEqual([slow.position, position]);
    }
  });

  test('reads long streams, large stores, tags and backward', async () => {
    const events = Array.from({ length: 200 }, (_, n) => ({ type: 'Counted', data: { n }, tags: ['a'] }));
    await store.appendToStream('Long-1', events);
    const filter = { tags: ['a'], categories: ['Long'], occurredFrom: '2000-01-01T00:00:00Z' };

    expect((await store.readStream('Long-1')).events).toHaveLength(200);
    expect((await store.readStream('Long-1', { direction: 'backward' })).events).toHaveLength(200);
    expect((await store.readAll({ filter, limit: 200 })).events).toHaveLength(200);
    expect((await store.readAll({ filter, limit: 200, direction: 'backward' })).events).toHaveLength(200);
    await expect(store.readAll({ after: 200_000 })).rejects.toMatchObject({
      code: 'POSITION_AHEAD_OF_STORE',
    });
  });

  test('appends batches, and tells what is stored already', async () => {
    const append = (id: number): Promise<unknown> =>
      store.appendToStream(`Batch-${id}`, [...happened, ...happened], { commitId: 'c' });

    await Promise.all(Array.from({ length: 40 }, (_, id) => append(id)));

    expect(await append(7)).toMatchObject({ deduplicated: true });
  });

  test('wakes and is woken', async () => {
    // In a schema that nobody else notifies of.
    const options = { connectionString: shadowed.directShadowedUrl, schema: 'woken' };
    const stores = await Promise.all([1, 2].map(() => PostgresEventStore.connect(options)));
    onTestFinished(() => Promise.all(stores.map((each) => each.close())).then(() => undefined));
    const [woken, other] = stores as [PostgresEventStore, PostgresEventStore];
    await other.migrate();
    let wakeUps = 0;
    onTestFinished(woken.onAppend(() => wakeUps++));
    // By itself, once it listens.
    await expect.poll(() => wakeUps).toBe(1);

    await other.appendToStream('A-1', happened);
    await expect.poll(() => wakeUps).toBe(2);

    expect((await subscribe(woken).next()).value).toMatchObject({ streamId: 'A-1' });
  });

  test('is migrated again, and gets another id', async () => {
    const { storeId } = await store.readAll({ limit: 1 });

    expect(await store.migrate()).toEqual([]);
    expect(await store.rotateStoreId()).not.toBe(storeId);
    expect((await store.readAll({ limit: 1 })).storeId).not.toBe(storeId);
  });

  test('projects', async () => {
    const pool = new pg.Pool({ connectionString: shadowed.shadowedUrl });
    onTestFinished(() => pool.end());
    const sink = new PostgresProjectionSink({ pool });
    const spec = { name: 'totals', version: 1, shards: 2 };
    const hooks = { init: undefined, reset: undefined };
    await store.appendToStream('Parked-1', [...happened, ...happened, ...happened]);
    const [, ...events] = (await store.readStream('Parked-1')).events;
    const [parked, blocking] = events.map((event) => ({ event, error: 'no', attempts: 1 }));
    const progress = { checkpoint: { storeId: 's', position: 1 }, applied: 1, rate: 0.1 + 0.2 };

    const [live] = await sink.open(spec, ({ client }) => client.query('create table t (id pg_catalog.int8)'));
    const shard = { name: 'totals', build: live!.build, shard: 0 };
    const { token } = await sink.acquire(shard);
    await sink.commit(shard, token, progress, async ({ context, park, settle }) => {
      await context.client.query('insert into t values (1)');
      await park(parked!);
      await settle(blocking!.event.id);
    });
    await sink.reportStop(shard, token, blocking!);
    await sink.decide('totals', shard.build, { action: 'retry', eventId: parked!.event.id });
    expect(await sink.nextRetried(shard, parked!.event.streamId)).toEqual(parked!.event);
    await sink.commit(shard, token, progress, ({ parkBehind }) =>
      parkBehind(parked!.event.streamId, 'no again'),
    );
    const skip = { action: 'skip', eventId: parked!.event.id, operator: 'me', reason: 'why' } as const;
    expect(await sink.decide('totals', shard.build, skip)).toBe(true);
    expect(await sink.parked('totals', shard.build, 10)).toMatchObject([
      { event: { id: parked!.event.id }, status: 'skipped', operator: 'me', reason: 'why' },
      { event: { id: blocking!.event.id }, status: 'blocking' },
    ]);
    expect(await sink.acquire(shard)).toMatchObject({
      ...progress,
      parked: { streams: [], skipped: [parked!.event.id], blocking: [blocking!.event.id] },
    });
    const next = await sink.begin({ ...spec, version: 2 }, hooks);
    await sink.inspect('totals', next.build, () => undefined);
    await sink.activate('totals', next.build, undefined);
    await sink.fence('totals');
    await sink.drop('totals', live!.build, undefined);
    expect(await sink.open(spec, undefined)).toMatchObject([{ role: 'live', version: 2 }]);
  });

  test('has made nothing out of a shadow', async () => {
    expect(await findShadowed(shadowed.database)).toEqual([]);
  });
});

test('each function fixes its search path', async () => {
  const rows = await query(
    shadowed.database.directUrl,
    `select proname, proconfig from pg_proc where pronamespace = 'event_store'::regnamespace order by 1`,
  );

  expect(rows.length).toBeGreaterThan(3);
  const pinned = expect.arrayContaining(['search_path=pg_catalog, pg_temp']) as string[];
  for (const row of rows) expect(row).toMatchObject({ proconfig: pinned });
});

describe('a role that may create in every schema of a session', () => {
  /** Each would tell the one that made it what it is called with, as the role that calls it. */
  const traps = [
    'public.hashoid(regnamespace)',
    'public.date_part(unknown, timestamptz)',
    'public.split_part(text, unknown, integer)',
    'public.concat_ws(text, text, bigint)',
    'public.max(integer)',
    `event_store.append_event(${Array.from({ length: 12 }, () => 'text').join()})`,
    `event_store.append_members(${Array.from({ length: 32 }, () => 'text').join()})`,
    'event_store.lock_tags(text[], text[], text)',
  ];

  test('neither learns what is appended nor changes what is read', async () => {
    const [database, app, mallory] = await Promise.all([createDatabase(), createRole(), createRole()]);
    const owner = await PostgresEventStore.connect({ connectionString: database.url });
    onTestFinished(() => owner.close());
    await owner.migrate();
    await query(database.directUrl, grantScript('event_store', app.name));
    await query(
      database.directUrl,
      `grant create, usage on schema public, event_store to "${mallory.name}"; grant usage on schema public to public`,
    );
    const asMallory = mallory.as(database.directUrl);
    await query(asMallory, 'create table public.loot (what text); grant all on public.loot to public');
    const body = `language plpgsql as $$ begin insert into public.loot values (current_user); return 1; end $$`;
    for (const trap of traps) {
      await query(asMallory, `create function ${trap} returns integer ${body}`).catch((error: unknown) => {
        // Of pseudo-types that plpgsql doesn't take.
        expect(String(error)).toContain('unknown');
      });
    }
    await query(
      asMallory,
      `create function public.never(bigint, integer) returns boolean language plpgsql as
         $$ begin insert into public.loot values (current_user); return false; end $$;
       create operator public.= (leftarg = bigint, rightarg = integer, function = public.never);
       create operator public.< (leftarg = bigint, rightarg = integer, function = public.never);
       create domain public.uuid as pg_catalog.text;
       create type public.fake as (n integer);
       create cast (public.fake as pg_catalog.text) with inout as implicit;
       create table public.pg_locks (locktype text)`,
    );

    for (const path of ['public, pg_catalog', 'event_store, public, pg_catalog', '"$user", public']) {
      await query(
        database.directUrl,
        `alter role "${app.name}" in database "${database.name}" set search_path = ${path}`,
      );
      const store = await PostgresEventStore.connect({ connectionString: app.as(database.url) });
      const slow = await openAppend(store, app.as(database.directUrl), 'Slow-1');
      const { position } = await store.appendToStream('Fast-1', happened);
      const reading = store.readAll({ after: slow.position - 1 });
      await slow.commit();
      expect((await reading).events.map((event) => event.position)).toEqual([slow.position, position]);
      await store.appendToStream('Fast-1', [...happened, ...happened]);
      expect(await store.statistics({ filter: { types: ['Happened'] } })).toMatchObject({ streams: 2 });
      await store.close();
    }

    expect(await query(database.directUrl, 'select * from public.loot')).toEqual([]);
  });
});
