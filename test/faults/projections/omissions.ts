import type { Pool } from 'pg';
import {
  OwnershipLostError,
  type ProjectionSink,
  type ShardKey,
  type ShardProgress,
} from 'temporal-event-store';
import type { SqlProjectionContext } from 'temporal-event-store/postgres';

type Commit = ProjectionSink<SqlProjectionContext>['commit'];

/** A page that is to be written. */
interface Page {
  readonly pool: Pool;
  /** As it should be done. */
  readonly commit: Commit;
  readonly shard: ShardKey;
  readonly token: number;
  readonly before: ShardProgress;
  readonly progress: ShardProgress;
  readonly write: Parameters<Commit>[3];
}

const nothing = async (): Promise<void> => undefined;

/** How a sink may get it wrong. With each, the run must find something. */
export const omissions = {
  'a checkpoint that is written after the page': async ({
    commit,
    shard,
    token,
    before,
    progress,
    write,
  }) => {
    await commit(shard, token, before, write);
    await commit(shard, token, progress, nothing);
  },

  'a checkpoint that is written before the page': async ({ commit, shard, token, progress, write }) => {
    await commit(shard, token, progress, nothing);
    await commit(shard, token, progress, write);
  },

  'a token that nobody looks at': async ({ pool, commit, shard, token, progress, write }) => {
    try {
      await commit(shard, token, progress, write);
    } catch (error) {
      if (!(error instanceof OwnershipLostError)) throw error;
      const { rows } = await pool.query<{ token: string }>(
        `select token from event_store_projections.shards where (projection, build, shard) = ($1, $2, $3)`,
        [shard.name, shard.build, shard.shard],
      );
      await commit(shard, Number(rows[0]?.token), progress, write);
    }
  },
} satisfies Readonly<Record<string, (page: Page) => Promise<void>>>;

export type Omission = keyof typeof omissions;
