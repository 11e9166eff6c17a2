import type { Pool, PoolConfig } from 'pg';
import { loadPeer } from '../peers.js';
import { Conflict, type Contender, type EventData } from './contender.js';
import { poolSize } from './pg-pool.js';

interface EmmettMessage {
  readonly data: EventData;
  readonly metadata: { readonly streamPosition: bigint };
}

interface EmmettPostgres {
  readonly getPostgreSQLEventStore: (url: string, options: unknown) => EmmettStore;
  readonly readMessagesBatch: (
    execute: unknown,
    options: { after: bigint; batchSize: number },
  ) => Promise<{ messages: readonly EmmettMessage[]; currentGlobalPosition: bigint }>;
}

interface Emmett {
  readonly isExpectedVersionConflictError: (error: unknown) => boolean;
}

interface Dumbo {
  readonly dumbo: (options: { connectionString: string; pool: Pool }) => { readonly execute: unknown };
}

interface Pg {
  readonly default: { readonly Pool: new (config: PoolConfig) => Pool };
}

interface EmmettStore {
  readonly schema: { migrate(): Promise<unknown> };
  appendToStream(
    streamId: string,
    events: readonly unknown[],
    options: { expectedStreamVersion: bigint },
  ): Promise<unknown>;
  readStream(streamId: string, options: { from: bigint }): Promise<{ events: readonly EmmettMessage[] }>;
  close(): Promise<void>;
}

/**
 * Emmett, with a pool as large as the others'. Its consumer waits 50 ms after each batch of 100, so the batches are read
 * with the function that the consumer reads them with.
 */
export const emmett: Contender = {
  name: 'emmett',
  database: 'emmett',
  can: ['append', 'load', 'catchUp', 'poll'],
  claimsRepeatsAreSafe: false,
  table: 'emt_messages',
  storedSql: `select (message_data->>'ref')::bigint as ref, stream_id, stream_position as version from emt_messages`,

  async prepare(url) {
    const { store, close } = await connect(url);
    await store.schema.migrate();
    await close();
  },

  fillSql: (rows) => [
    `insert into emt_messages (
       stream_id, stream_position, transaction_id, message_schema_version, message_id, message_type, message_data,
       message_metadata)
     select
       stream_id, version, pg_current_xact_id(), '1', gen_random_uuid()::text, type, data::jsonb,
       metadata_with_tags::jsonb
     from (${rows}) r order by ref`,
    `insert into emt_streams (stream_id, stream_position, stream_type, stream_metadata)
     select stream_id, max(stream_position), split_part(stream_id, '-', 1), '{}' from emt_messages group by stream_id`,
  ],

  async open(url) {
    const { store, isConflict, readBatch, close } = await connect(url);
    return {
      async append({ streamId, expectedVersion, events }) {
        const messages = events.map(({ type, data, metadata, tags }) => ({
          type,
          data,
          metadata: { ...metadata, tags },
        }));
        try {
          await store.appendToStream(streamId, messages, { expectedStreamVersion: BigInt(expectedVersion) });
        } catch (error) {
          if (isConflict(error)) throw new Conflict();
          throw error;
        }
      },
      async load(streamId, afterVersion) {
        const { events } = await store.readStream(streamId, { from: BigInt(afterVersion + 1) });
        return { version: Number(events.at(-1)?.metadata.streamPosition ?? afterVersion), events };
      },
      async catchUp(batchSize, visit) {
        let after = 0n;
        for (;;) {
          const { messages, currentGlobalPosition } = await readBatch({ after, batchSize });
          for (const message of messages) if (!visit(message)) return;
          if (messages.length < batchSize) return;
          after = currentGlobalPosition;
        }
      },
      async poll(after, batchSize) {
        const { messages, currentGlobalPosition } = await readBatch({ after: BigInt(after), batchSize });
        return { refs: messages.map(({ data }) => data.ref), cursor: Number(currentGlobalPosition) };
      },
      close,
    };
  },
};

async function connect(url: string) {
  const { getPostgreSQLEventStore, readMessagesBatch } = await loadPeer<EmmettPostgres>(
    '@event-driven-io/emmett-postgresql',
  );
  const { isExpectedVersionConflictError } = await loadPeer<Emmett>('@event-driven-io/emmett');
  const { dumbo } = await loadPeer<Dumbo>('@event-driven-io/dumbo');
  // Emmett's own pg, whose type parsers it sets.
  const { default: pg } = await loadPeer<Pg>('pg');

  const pool = new pg.Pool({ connectionString: url, max: poolSize });
  const store = getPostgreSQLEventStore(url, { connectionOptions: { pool } });
  const { execute } = dumbo({ connectionString: url, pool });
  return {
    store,
    isConflict: isExpectedVersionConflictError,
    readBatch: (options: { after: bigint; batchSize: number }) => readMessagesBatch(execute, options),
    close: async () => {
      await store.close();
      await pool.end();
    },
  };
}
