import { EventStore, EventType } from '@castore/core';
import { PostgresEventStorageAdapter } from '@castore/event-storage-adapter-postgres';
import { types } from '../workload/events.js';
import { Conflict, type Contender, type EventData } from './contender.js';

/** Private, but the only way to end the process. */
interface WithConnections {
  readonly _sql: { end(): Promise<void> };
}

type Metadata = Readonly<Record<string, unknown>>;

/** Castore. Its adapter takes no size for its pool, which has 10 connections; it has no reader of the whole store. */
export const castore: Contender = {
  name: 'castore',
  database: 'castore',
  can: ['append', 'load'],
  claimsRepeatsAreSafe: false,
  table: 'event',
  storedSql: `select (data->>'ref')::bigint as ref, aggregate_id as stream_id, version from event`,

  async prepare(url) {
    await PostgresEventStorageAdapter.createEventTable({
      connectionString: url,
      aggregateId: { type: 'VARCHAR', length: 100 },
    });
  },

  fillSql: (rows) => [
    `insert into event (aggregate_name, aggregate_id, version, type, data, metadata)
     select 'account', stream_id, version, type, data::jsonb, metadata_with_tags::jsonb from (${rows}) r order by ref`,
  ],

  open(url) {
    const eventStorageAdapter = new PostgresEventStorageAdapter({ connectionString: url });
    const store = new EventStore({
      eventStoreId: 'account',
      eventTypes: types.map((type) => new EventType<string, EventData, Metadata>({ type })),
      reducer: (aggregate: { aggregateId: string; version: number }) => aggregate,
      eventStorageAdapter,
    });
    return Promise.resolve({
      async append({ streamId, expectedVersion, events }) {
        const details = events.map(({ type, data, metadata, tags }, index) => ({
          aggregateId: streamId,
          version: expectedVersion + index + 1,
          type,
          payload: data,
          metadata: { ...metadata, tags },
        }));
        const [first, second, ...others] = details.map((detail) => store.groupEvent(detail));
        try {
          if (second === undefined) await store.pushEvent(details[0]!);
          else await EventStore.pushEventGroup(first!, second, ...others);
        } catch (error) {
          if ((error as { code?: unknown }).code === 'EventAlreadyExistsError') throw new Conflict();
          throw error;
        }
      },
      async load(streamId, afterVersion) {
        const { events } = await store.getEvents(streamId, { minVersion: afterVersion + 1 });
        return {
          version: events.at(-1)?.version ?? afterVersion,
          events: events.map(({ payload }) => ({ data: payload })),
        };
      },
      close: () => (eventStorageAdapter as unknown as WithConnections)._sql.end(),
    });
  },
};
