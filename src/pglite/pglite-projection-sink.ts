import type { Transaction } from '@electric-sql/pglite';
import { assertOptions, isPlainObject } from '../core/options/options.js';
import type { SinkDriver } from '../sql/projections/sink-database.js';
import { defaultProjectionSchema, SqlProjectionSink } from '../sql/projections/sql-projection-sink.js';
import { handlerTransaction } from './handler-transaction.js';
import type { PGliteEventStore } from './pglite-event-store.js';
import { readTexts } from './pglite-port.js';
import type { PGliteTransaction } from './pglite-transaction.js';

export interface PGliteProjectionSinkOptions {
  /** The store whose database also holds the read models. */
  readonly store: PGliteEventStore;
  /** The schema of checkpoints and parked events. Default `event_store_projections`. */
  readonly schema?: string;
}

/**
 * Read models in the embedded database of a store, each in the schema of its projection's name, exactly once: the
 * handlers' writes and the checkpoint are one transaction. Handlers must not call the store: it waits for them.
 *
 * @example
 * const store = await PGliteEventStore.open();
 * const sink = new PGliteProjectionSink({ store });
 */
export class PGliteProjectionSink extends SqlProjectionSink<PGliteTransaction> {
  /** @throws InvalidArgumentError for a missing, unknown or malformed option */
  constructor(options: PGliteProjectionSinkOptions) {
    assertOptions('PGliteProjectionSink', options, { store: isPlainObject, schema: () => undefined }, [
      'store',
    ]);
    const query: SinkDriver<PGliteTransaction>['query'] = (client, ...statement) =>
      readTexts(client as Transaction, ...statement);
    super(options.schema ?? defaultProjectionSchema, {
      query,
      guard: handlerTransaction,
      transaction: (run, frame) =>
        options.store.transaction(async (client) => {
          if (frame === undefined) return run(client, []);
          const opened = await query(client, frame.opening, []);
          const result = await run(client, opened);
          for (const statement of frame.closing(opened)) await client.query(statement);
          return result;
        }),
    });
  }
}
