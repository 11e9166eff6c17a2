import { StoreUnavailableError } from '../../core/errors/store-errors.js';
import type { ShardKey } from '../../core/projections/projection-sink.js';
import { isObject } from '../../core/values/json.js';
import { sqlStateOf } from '../sql-errors.js';
import type { SinkDatabase, SqlClient } from './sink-database.js';
import * as statements from './statements.js';

/** Milliseconds that an owner gets to end its transaction before its session is terminated. */
const grace = 1_000;
/** Milliseconds after which the wait for the rows of shards is an error. */
const patience = 5_000;

type Shards = Pick<ShardKey, 'name'> & Partial<ShardKey>;

/**
 * Runs a transaction that locks rows of shards. It waits a second for other locks on them; then it ends the sessions of
 * the owners that are in a transaction: they may be frozen, and couldn't write any more in any case.
 *
 * @throws StoreUnavailableError after five seconds, naming the sessions that hold the rows
 */
export async function replaceOwners<Client extends SqlClient, T>(
  database: SinkDatabase<Client>,
  shards: Shards,
  run: (client: Client) => Promise<T>,
): Promise<T> {
  return retryWithoutOwners(database, shards, () =>
    database.run((client) => lockingBriefly(database, client, run)),
  );
}

/** Runs statements that wait for locks for at most a second. */
export async function lockingBriefly<Client extends SqlClient, T>(
  database: SinkDatabase<Client>,
  client: Client,
  run: (client: Client) => Promise<T>,
): Promise<T> {
  const [before] = await database.query(client, statements.setLockTimeout, [`${grace}`]);
  const result = await run(client);
  await database.query(client, statements.setLockTimeout, [before?.[0] ?? '0']);
  return result;
}

/** Repeats an attempt that waited too long for the rows of shards, after ending the sessions of their owners. */
export async function retryWithoutOwners<Client extends SqlClient, T>(
  database: SinkDatabase<Client>,
  {
    name,
    build = null,
    shard = null,
  }: { readonly name: string; readonly build?: number | null; readonly shard?: number | null },
  attempt: () => Promise<T>,
): Promise<T> {
  const end = performance.now() + patience;
  const key = [name, build, shard];
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (!waitedForLock(error)) throw error;
      const refusal = await database
        .run((client) => database.query(client, statements.endOwners, key))
        .then(
          () => undefined,
          (reason: unknown) => reason,
        );
      if (performance.now() < end) continue;
      const pids = (
        await database.run((client) => database.query(client, statements.findBlockers, key))
      ).flat();
      if (pids.length === 0) throw error;
      throw new StoreUnavailableError(
        `The shards of the projection '${name}' are locked by the database session ${pids.join(', ')}, which ` +
          `${refusal === undefined ? 'is no owner of theirs' : 'this role may not end'}. End it, by a role that may: select pg_terminate_backend(${pids[0]}).`,
        { commitId: undefined, cause: refusal ?? error },
      );
    }
  }
}

function waitedForLock(error: unknown): boolean {
  return isObject(error) && sqlStateOf((error as { readonly cause?: unknown }).cause) === '55P03';
}
