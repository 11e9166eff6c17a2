import pg from 'pg';
import { OwnershipLostError, type ProjectionBuild, type ShardKey } from 'temporal-event-store';
import { PostgresProjectionSink, type SqlProjectionContext } from 'temporal-event-store/postgres';
import { describe, expect, it, onTestFinished } from 'vitest';
import { connect, createDatabase, createRole, query, type Database } from '../../support/postgres.js';

const name = 'totals';
const init = ({ client }: SqlProjectionContext): unknown => client.query('create table total (id text)');
const at = (position: number) => ({ checkpoint: { storeId: 's', position }, applied: position, rate: 0 });

function sinkOf(url: string): PostgresProjectionSink {
  const pool = new pg.Pool({ connectionString: url });
  onTestFinished(() => pool.end());
  return new PostgresProjectionSink({ pool });
}

/** An owner that stands still in a page, as one does whose process is stopped. */
async function useFrozen(frozenUrl = (database: Database) => database.url) {
  const database = await createDatabase();
  const sink = sinkOf(database.url);
  const [live] = await sink.open({ name, version: 1, shards: 1 }, init);
  const shard: ShardKey = { name, build: (live as ProjectionBuild).build, shard: 0 };
  const frozen = sinkOf(frozenUrl(database));
  const { token } = await frozen.acquire(shard);
  let goOn = (): void => undefined;
  const thaw = new Promise<void>((resolve) => (goOn = resolve));
  let isIn = (): void => undefined;
  const entered = new Promise<void>((resolve) => (isIn = resolve));
  const page = frozen
    .commit(shard, token, at(1), async ({ context: { client } }) => {
      await client.query(`insert into total values ('frozen')`);
      isIn();
      await thaw;
    })
    .then(
      () => undefined,
      (error: unknown) => error,
    );
  onTestFinished(async () => {
    goOn();
    await page;
  });
  await entered;
  const lateEnd = async (): Promise<unknown> => {
    goOn();
    return page;
  };
  return { database, sink, shard, frozen, token, lateEnd };
}

const ids = ({ directUrl }: Database): Promise<unknown[]> => query(directUrl, `select id from ${name}.total`);

describe('an owner that stands still in a page', () => {
  it.each<[string, (sink: PostgresProjectionSink, shard: ShardKey) => Promise<unknown>]>([
    ['who takes over', (sink, shard) => sink.acquire(shard)],
    ['a fence', (sink) => sink.fence(name)],
    [
      'a switch',
      async (sink) => {
        const { build } = await sink.begin({ name, version: 2, shards: 1 }, { init, reset: undefined });
        await sink.activate(name, build, undefined);
      },
    ],
  ])('is held to blame by no event, and holds up %s for a second', async (_who, takeOver) => {
    const { database, sink, shard, frozen, token, lateEnd } = await useFrozen();
    const before = performance.now();

    await takeOver(sink, shard);

    expect(performance.now() - before).toBeLessThan(4_000);
    expect(await lateEnd()).toMatchObject({ code: 'STORE_UNAVAILABLE' });
    await expect(frozen.commit(shard, token, at(1), async () => undefined)).rejects.toThrow(
      OwnershipLostError,
    );
    expect(await ids(database)).toEqual([]);
  });

  it('is named where the role may not end its session', async () => {
    const { database, shard, lateEnd } = await useFrozen();
    const role = await createRole();
    await query(database.directUrl, `grant usage on schema event_store_projections to "${role.name}"`);
    await query(
      database.directUrl,
      `grant all on all tables in schema event_store_projections to "${role.name}"`,
    );
    await query(
      database.directUrl,
      `grant all on all sequences in schema event_store_projections to "${role.name}"`,
    );

    const taking = sinkOf(role.as(database.url)).acquire(shard);

    await expect(taking).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    await expect(taking).rejects.toThrow(/this role may not end.*pg_terminate_backend\(\d+\)/);
    expect(await lateEnd()).toBeUndefined();
  });

  it('is told from somebody else who has locked the row, who is named and left alone', async () => {
    const database = await createDatabase();
    const sink = sinkOf(database.url);
    await sink.open({ name, version: 1, shards: 1 }, init);
    const other = await connect(database.directUrl);
    await other.query('begin');
    await other.query('select from event_store_projections.shards for update');
    const { rows } = await other.query<{ pid: number }>('select pg_backend_pid() as pid');

    await expect(sink.fence(name)).rejects.toThrow(`${rows[0]?.pid}, which is no owner`);

    await other.query('commit');
    await sink.fence(name);
  });
});
