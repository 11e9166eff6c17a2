import { dumbo } from '@event-driven-io/dumbo';
import { isExpectedVersionConflictError, type Event } from '@event-driven-io/emmett';
import { getPostgreSQLEventStore, readMessagesBatch } from '@event-driven-io/emmett-postgresql';
// Emmett's own pg, whose type parsers it sets.
import pg from 'pg';
import { Conflict, type Contender, type EventData } from './contender.js';
import { ignoreIdleErrors, poolSize } from './pg-pool.js';

type Message = Event<string, EventData>;

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
    const { store, close } = connect(url);
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

  open(url) {
    const { store, readBatch, close } = connect(url);
    return Promise.resolve({
      async append({ streamId, expectedVersion, events }) {
        const messages = events.map(({ type, data, metadata, tags }) => ({
          type,
          data,
          metadata: { ...metadata, tags },
        }));
        try {
          await store.appendToStream(streamId, messages, { expectedStreamVersion: BigInt(expectedVersion) });
        } catch (error) {
          if (isExpectedVersionConflictError(error)) throw new Conflict();
          throw error;
        }
      },
      async load(streamId, afterVersion) {
        const { events } = await store.readStream<Message>(streamId, { from: BigInt(afterVersion + 1) });
        return { version: Number(events.at(-1)?.metadata.streamPosition ?? afterVersion), events };
      },
      async catchUp(batchSize, visit) {
        let after = 0n;
        for (;;) {
          const { messages, currentGlobalPosition } = await readBatch(after, batchSize);
          for (const message of messages) if (!visit(message)) return;
          if (messages.length < batchSize) return;
          after = currentGlobalPosition;
        }
      },
      async poll(after, batchSize) {
        const { messages, currentGlobalPosition } = await readBatch(BigInt(after), batchSize);
        return { refs: messages.map(({ data }) => data.ref), cursor: Number(currentGlobalPosition) };
      },
      close,
    });
  },
};

function connect(url: string) {
  const pool = ignoreIdleErrors(new pg.Pool({ connectionString: url, max: poolSize }));
  const store = getPostgreSQLEventStore(url, { connectionOptions: { pool } });
  const { execute } = dumbo({ connectionString: url, pool });
  return {
    store,
    readBatch: (after: bigint, batchSize: number) =>
      readMessagesBatch<Message>(execute, { after, batchSize }),
    close: async () => {
      await store.close();
      await pool.end();
    },
  };
}
