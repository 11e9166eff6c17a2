import type { Pool } from 'pg';
import {
  findEventStoreError,
  HandlerError,
  OwnershipLostError,
  type ProjectionSink,
  type ShardKey,
  type ShardProgress,
} from 'temporal-event-store';
import { PostgresProjectionSink, type SqlProjectionContext } from 'temporal-event-store/postgres';
import type { LedgerContext } from './ledger.js';
import type { WorkerReport } from './messages.js';
import { omissions, type Omission } from './omissions.js';
import type { Strike } from './strike.js';

type Sink = ProjectionSink<SqlProjectionContext>;

export interface LedgerSinkOptions {
  readonly pool: Pool;
  readonly strike: Strike;
  readonly report: (report: WorkerReport) => void;
  readonly omission?: Omission;
}

/** The sink of the library, which tells the handlers who writes, and the run what becomes of each page. */
export class LedgerSink extends PostgresProjectionSink {
  readonly strike: Strike;
  readonly #options: LedgerSinkOptions;
  readonly #progress = new Map<number, ShardProgress>();

  constructor(options: LedgerSinkOptions) {
    super({ pool: options.pool });
    this.strike = options.strike;
    this.#options = options;
  }

  /** Its handlers get the owner, too. */
  get forLedger(): ProjectionSink<LedgerContext> {
    return this as unknown as ProjectionSink<LedgerContext>;
  }

  override async acquire(shard: ShardKey): ReturnType<Sink['acquire']> {
    const ownership = await super.acquire(shard);
    this.#progress.set(ownership.token, ownership);
    this.#options.report({ kind: 'acquired', owner: { ...shard, token: ownership.token } });
    return ownership;
  }

  override async commit(...[shard, token, progress, write]: Parameters<Sink['commit']>): Promise<void> {
    const { report, omission, pool } = this.#options;
    const owner = { ...shard, token };
    this.strike.at('before BEGIN');
    try {
      const commit: Sink['commit'] = (...args) => super.commit(...args);
      const writeAsOwner: typeof write = ({ context, ...transaction }) =>
        write({ ...transaction, context: { ...context, owner } as LedgerContext });
      if (omission === undefined) {
        await commit(shard, token, progress, writeAsOwner);
      } else {
        const before = this.#progress.get(token) ?? progress;
        await omissions[omission]({ pool, commit, shard, token, before, progress, write: writeAsOwner });
      }
    } catch (error) {
      if (error instanceof OwnershipLostError) {
        report({ kind: 'refused' });
      } else if (!(error instanceof HandlerError)) {
        report({ kind: 'failed', error: findEventStoreError(error)?.code ?? String(error) });
      }
      throw error;
    }
    this.#progress.set(token, progress);
    report({ kind: 'page', owner });
  }
}
