import type { Pool } from 'pg';
import {
  OwnershipLostError,
  type ProjectionSink,
  type ShareKey,
  type ShareProgress,
} from 'temporal-event-store';
import type { SqlProjectionContext } from 'temporal-event-store/postgres';

type Commit = ProjectionSink<SqlProjectionContext>['commit'];

/** A page that is to be written. */
interface Page {
  readonly pool: Pool;
  /** As it should be done. */
  readonly commit: Commit;
  readonly share: ShareKey;
  readonly token: number;
  readonly before: ShareProgress;
  readonly progress: ShareProgress;
  readonly write: Parameters<Commit>[3];
}

const nothing = async (): Promise<void> => undefined;

/** How a sink may get it wrong. With each, the run must find something. */
export const omissions = {
  'a checkpoint that is written after the page': async ({
    commit,
    share,
    token,
    before,
    progress,
    write,
  }) => {
    await commit(share, token, before, write);
    await commit(share, token, progress, nothing);
  },

  'a checkpoint that is written before the page': async ({ commit, share, token, progress, write }) => {
    await commit(share, token, progress, nothing);
    await commit(share, token, progress, write);
  },

  'a token that nobody looks at': async ({ pool, commit, share, token, progress, write }) => {
    try {
      await commit(share, token, progress, write);
    } catch (error) {
      if (!(error instanceof OwnershipLostError)) throw error;
      const { rows } = await pool.query<{ token: string }>(
        `select token from event_store_projections.shares where (projection, build, share) = ($1, $2, $3)`,
        [share.name, share.build, share.share],
      );
      await commit(share, Number(rows[0]?.token), progress, write);
    }
  },
} satisfies Readonly<Record<string, (page: Page) => Promise<void>>>;

export type Omission = keyof typeof omissions;
