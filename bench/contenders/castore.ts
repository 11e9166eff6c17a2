import { loadPeer } from '../peers.js';
import { Conflict, type Contender, type EventData } from './contender.js';

interface CastoreEvent {
  readonly aggregateId: string;
  readonly version: number;
  readonly type: string;
  readonly payload: unknown;
  readonly metadata: unknown;
}

interface CastoreStore {
  pushEvent(event: CastoreEvent): Promise<unknown>;
  groupEvent(event: CastoreEvent): unknown;
  getEvents(
    aggregateId: string,
    options: { minVersion: number },
  ): Promise<{ events: readonly { version: number; payload: EventData }[] }>;
}

interface CastoreCore {
  readonly EventStore: {
    new (options: unknown): CastoreStore;
    pushEventGroup(...events: readonly unknown[]): Promise<unknown>;
  };
}

interface CastorePostgres {
  readonly PostgresEventStorageAdapter: {
    new (options: { connectionString: string }): CastoreAdapter;
    createEventTable(options: unknown): Promise<unknown>;
  };
}

interface CastoreAdapter {
  /** Private, but the only way to end the process. */
  readonly _sql: { end(): Promise<void> };
}

/** Castore. Its adapter takes no size for its pool, which has 10 connections; it has no reader of the whole store. */
export const castore: Contender = {
  name: 'castore',
  database: 'castore',
  can: ['append', 'load'],
  claimsRepeatsAreSafe: false,
  table: 'event',
  storedSql: `select (data->>'ref')::bigint as ref, aggregate_id as stream_id, version from event`,

  async prepare(url) {
    const { PostgresEventStorageAdapter } = await loadPeer<CastorePostgres>(adapterPackage);
    await PostgresEventStorageAdapter.createEventTable({
      connectionString: url,
      aggregateId: { type: 'VARCHAR', length: 100 },
    });
  },

  fillSql: (rows) => [
    `insert into event (aggregate_name, aggregate_id, version, type, data, metadata)
     select 'account', stream_id, version, type, data::jsonb, metadata_with_tags::jsonb from (${rows}) r order by ref`,
  ],

  async open(url) {
    const { EventStore } = await loadPeer<CastoreCore>('@castore/core');
    const { PostgresEventStorageAdapter } = await loadPeer<CastorePostgres>(adapterPackage);
    const eventStorageAdapter = new PostgresEventStorageAdapter({ connectionString: url });
    const store = new EventStore({
      eventStoreId: 'account',
      eventTypes: [],
      reducer: (state: unknown) => state,
      eventStorageAdapter,
    });
    return {
      async append({ streamId, expectedVersion, events }) {
        const details = events.map(({ type, data, metadata, tags }, index) => ({
          aggregateId: streamId,
          version: expectedVersion + index + 1,
          type,
          payload: data,
          metadata: { ...metadata, tags },
        }));
        try {
          if (details.length === 1) await store.pushEvent(details[0]!);
          else await EventStore.pushEventGroup(...details.map((detail) => store.groupEvent(detail)));
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
      close: () => eventStorageAdapter._sql.end(),
    };
  },
};

const adapterPackage = '@castore/event-storage-adapter-postgres';
