import type { ClientBase, Pool, PoolClient } from 'pg';
import { assertOptions, integerFrom, isPlainObject } from '../core/options/options.js';
import { defaultProjectionSchema, SqlProjectionSink } from '../sql/projections/sql-projection-sink.js';
import { handlerClient } from './handler-client.js';
import type { PgClient, PgPool } from './pg-types.js';
import { readRows } from './row-query.js';
import { runTransaction } from './run-transaction.js';

export interface PostgresProjectionSinkOptions {
  /** Leads to the database of the read models, which needn't be that of the events. It stays yours to close. */
  readonly pool: PgPool;
  /** The schema of checkpoints and parked events; created if it is missing. Default `event_store_projections`. */
  readonly schema?: string;
  /**
   * Milliseconds after which a statement without an answer, and its connection, are given up. Default 60,000; for hooks
   * (`init`, `reset`, `verify`) ten times as many.
   */
  readonly operationTimeout?: number;
}

/** A hook may have a whole read model to go through. */
const hookFactor = 10;
/** Milliseconds; the transactions of other projections that share the pool may take their time. */
const longestPoolTimeout = 15_000;

/**
 * Read models in PostgreSQL, each in the schema of its projection's name, exactly once: the handlers' writes and the
 * checkpoint are one transaction. The pool's role needs the right to create schemas in the database.
 *
 * @typeParam Client the type of the handlers' `client`: say `PoolClient` of `pg` for its full type
 * @example
 * const pool = new Pool({ connectionString: 'postgres://localhost/orders' });
 * pool.on('error', console.error);
 * const sink = new PostgresProjectionSink({ pool });
 */
export class PostgresProjectionSink<Client extends PgClient = PgClient> extends SqlProjectionSink<Client> {
  /** @throws InvalidArgumentError for a missing, unknown or malformed option */
  constructor(options: PostgresProjectionSinkOptions) {
    assertOptions(
      'PostgresProjectionSink',
      options,
      { pool: isPlainObject, schema: () => undefined, operationTimeout: integerFrom(1) },
      ['pool'],
    );
    const { pool, schema = defaultProjectionSchema, operationTimeout = 60_000 } = options;
    super(schema, {
      transaction: (run, frame) =>
        runTransaction(pool as Pool, (client, opened) => run(client as unknown as Client, opened), {
          operationTimeout: frame === undefined ? hookFactor * operationTimeout : operationTimeout,
          poolTimeout: Math.min(longestPoolTimeout, operationTimeout),
          frame,
        }),
      guard: (client, guard) => handlerClient(client as unknown as PoolClient, guard) as unknown as Client,
      query: (client, text, values) => readRows(client as unknown as ClientBase, { text, values }),
    });
  }
}
