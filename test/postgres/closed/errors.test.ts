import { open } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { HandlerError } from 'temporal-event-store';
import { PostgresEventStore, PostgresProjectionSink } from 'temporal-event-store/postgres';
import { describe, expect, onTestFinished, test } from 'vitest';
import { useCluster } from '../../support/cluster.js';
import { useEmptyStore } from '../../support/postgres-store.js';
import { query } from '../../support/postgres.js';
import { expectTypedError } from '../../support/typed-error.js';

const secret = 'DE89 3704';
const withSecret = [{ type: 'T', data: { iban: secret }, tags: [secret] }];

/** Lets whoever appends to the stream meet this error, as the server would raise it, with a row in all that it says beside. */
function raising(code: string, streamId = 'Damaged-1'): string {
  return `create or replace function event_store.raise_error() returns trigger language plpgsql as $$ begin
      raise exception 'invalid page in block 7 of relation base/5/1' using errcode = '${code}', detail = new.data::text,
        hint = new.data::text;
    end $$;
    drop trigger if exists raises on event_store.events;
    create trigger raises before insert on event_store.events for each row when (new.stream_id = '${streamId}')
      execute function event_store.raise_error()`;
}

describe('an error of the server', () => {
  test.each([
    ['23514', 'INVALID_ARGUMENT'],
    ['XX001', 'STORE_CORRUPTED'],
    ['57014', 'STORE_UNAVAILABLE'],
    ['42501', 'STORE_ACCESS_DENIED'],
    ['42883', 'SCHEMA_OUTDATED'],
  ])('of code %s holds nothing of what was appended', async (state, code) => {
    const { store, database } = await useEmptyStore({ retryTimeout: 0 });
    await query(database.directUrl, raising(state));

    for (const events of [withSecret, [...withSecret, ...withSecret]]) {
      await expectTypedError(store.appendToStream('Damaged-1', events), {
        code,
        says: `(SQLSTATE ${state})`,
        secrets: [secret],
      });
    }
  });

  test('that a row breaks a constraint holds nothing of the row', async () => {
    const { store, database } = await useEmptyStore();
    await query(
      database.directUrl,
      'alter table event_store.events add constraint small check (length(data::text) < 5)',
    );

    await expectTypedError(store.appendToStream('A-1', withSecret), {
      code: 'INVALID_ARGUMENT',
      says: /violates check constraint "small"/,
      secrets: [secret],
    });
  });
});

describe.each(['XX001', 'XX002'])('damage that the server reports by %s', (state) => {
  test('is told at once, as what no other attempt mends', async () => {
    const { store, database } = await useEmptyStore({ retryTimeout: 60_000 });
    await query(database.directUrl, raising(state));

    const error = await expectTypedError(
      store.appendToStream('Damaged-1', withSecret, { commitId: 'mine' }),
      {
        code: 'STORE_CORRUPTED',
        says: /^The database is damaged: invalid page in block 7.*restore it.*'mine'/,
      },
    );

    expect(error).toMatchObject({ nonRetryable: true });
  });

  test('fails the append that meets it, and none that shares its batch', async () => {
    const { store, database } = await useEmptyStore();
    await query(database.directUrl, raising(state));
    const streams = Array.from({ length: 12 }, (_, index) => `Sound-${index}`);

    const outcomes = await Promise.allSettled(
      [...streams, 'Damaged-1'].map((streamId) => store.appendToStream(streamId, withSecret)),
    );

    expect(outcomes.map(({ status }) => status)).toEqual([...streams.map(() => 'fulfilled'), 'rejected']);
  });

  test('in a read model is not blamed on the event', async () => {
    const { database } = await useEmptyStore();
    await query(database.directUrl, 'drop schema if exists damaged, event_store_projections cascade');
    const pool = new pg.Pool({ connectionString: database.url });
    onTestFinished(() => pool.end());
    const sink = new PostgresProjectionSink({ pool });
    const [live] = await sink.open({ name: 'damaged', version: 1, shards: 1 }, ({ client }) =>
      client.query(`create function touch() returns void language plpgsql as
        $$ begin raise exception 'invalid page' using errcode = '${state}', detail = '${secret}'; end $$`),
    );
    const shard = { name: 'damaged', build: live!.build, shard: 0 };
    const { token } = await sink.acquire(shard);

    const committing = sink.commit(
      shard,
      token,
      { checkpoint: { storeId: 's', position: 1 }, applied: 1, rate: 1 },
      async ({ context: { client } }) => {
        await client.query('select touch()').catch((error: unknown) => {
          throw new HandlerError(error);
        });
      },
    );

    await expectTypedError(committing, {
      code: 'STORE_CORRUPTED',
      says: /invalid page/,
      secrets: [secret],
    });
  });
});

test('a page that is damaged on the disk is told at once, and what lies elsewhere is read', async () => {
  const cluster = await useCluster();
  const store = await PostgresEventStore.connect({ connectionString: cluster.url, retryTimeout: 60_000 });
  onTestFinished(() => store.close());
  await store.migrate();
  await store.appendToStream('A-1', withSecret);
  await store.snapshots.save('A-1', { name: 'm', version: 1 }, 1, {});
  const [file] = await query<{ path: string }>(
    cluster.url,
    `select pg_relation_filepath('event_store.events') as path`,
  );
  await cluster.stop();
  const damaged = await open(join(cluster.dataDir, file!.path), 'r+');
  await damaged.write(Buffer.alloc(4_096, 0xaa), 0, 4_096, 0);
  await damaged.close();
  await cluster.start();

  const damage = { code: 'STORE_CORRUPTED', says: /invalid page in block 0/, secrets: [secret] };
  await expectTypedError(store.readStream('A-1'), damage);
  await expectTypedError(store.appendToStream('A-1', withSecret), damage);
  expect(await store.snapshots.load('A-1', { name: 'm', version: 1 })).toMatchObject({ version: 1 });
});
