import type { SettledPosition } from 'temporal-event-store';
import { isEventStoreError, iterateAll, PostgresEventStore } from '../library.js';
import {
  Conflict,
  type Append,
  type Condition,
  type Contender,
  type EventData,
  type NewEvent,
  type ReadEvent,
  type Session,
} from './contender.js';

type BenchEvent = { readonly type: string; readonly data: EventData };

/** Schema of the store, which the baselines know too: they work on the same table, or on a copy of its definition. */
export const schema = 'event_store';

export const ours: Contender = {
  name: 'ours',
  database: 'ours',
  can: [
    'append',
    'load',
    'catchUp',
    'poll',
    'appendIf',
    'appendBothIf',
    'appendToStreams',
    'find',
    'statistics',
    'trends',
  ],
  claimsRepeatsAreSafe: true,
  table: `${schema}.events`,
  storedSql: `select (data->>'ref')::bigint as ref, stream_id, version from ${schema}.events`,

  prepare: (url) => migrate(url),

  fillSql: (rows) => [
    ...fillEventsSql(`${schema}.events`, `${schema}.positions`, rows),
    `insert into ${schema}.streams select stream_id, max(version) from ${schema}.events group by stream_id`,
  ],

  open: (url) => openStore(url, PostgresEventStore),
};

/** @param Store that of this build of the library, or of another one */
export async function openStore(url: string, Store: typeof PostgresEventStore): Promise<Session> {
  const store = await Store.connect({ connectionString: url, schema });
  let storeId: string | undefined;
  const appendIf = async (append: Append, { filters, after }: Condition): Promise<number> => {
    const { streamId, expectedVersion, commitId, events } = append;
    storeId ??= (await store.readAll({ limit: 1 })).storeId;
    try {
      const { position } = await store.appendToStream(streamId, events.map(toEvent), {
        expectedVersion,
        commitId,
        condition: { filter: filters, after: { position: after, storeId } as SettledPosition },
      });
      return position;
    } catch (error) {
      if (isEventStoreError(error, 'APPEND_CONDITION_FAILED')) throw new Conflict();
      throw error;
    }
  };
  return {
    async append({ streamId, expectedVersion, commitId, events }) {
      try {
        await store.appendToStream(streamId, events.map(toEvent), { expectedVersion, commitId });
      } catch (error) {
        if (isEventStoreError(error, 'VERSION_CONFLICT')) throw new Conflict();
        throw error;
      }
    },
    async load(streamId, afterVersion) {
      const events: ReadEvent[] = [];
      for (let version = afterVersion; ;) {
        const slice = await store.readStream<BenchEvent>(streamId, {
          fromVersion: version + 1,
          limit: 10_000,
        });
        version = slice.events.at(-1)?.version ?? version;
        events.push(...slice.events);
        if (slice.isEnd) return { version, events };
      }
    },
    async catchUp(limit, visit) {
      for await (const event of iterateAll<BenchEvent>(store, { limit })) {
        if (!visit(event)) return;
      }
    },
    async poll(after, limit) {
      const { events, position } = await store.readAll<BenchEvent>({ after, limit });
      return { refs: events.map(({ data }) => data.ref), cursor: position };
    },
    appendIf,
    async appendBothIf(appends, condition) {
      const results = await Promise.allSettled(appends.map((append) => appendIf(append, condition)));
      for (const result of results) {
        if (result.status === 'rejected' && !(result.reason instanceof Conflict)) throw result.reason;
      }
      return results.filter(({ status }) => status === 'fulfilled').length;
    },
    async appendToStreams(appends, commitId) {
      const parts = appends.map(({ streamId, expectedVersion, events }) => {
        return { streamId, expectedVersion, events: events.map(toEvent) };
      });
      await store.appendToStreams(parts, { commitId });
    },
    async find(filter) {
      for (let [count, after] = [0, 0]; ;) {
        const { events, position, isEnd } = await store.readAll({ after, filter });
        count += events.length;
        after = position;
        if (isEnd) return { count, after };
      }
    },
    async statistics() {
      const { total } = await store.statistics();
      return total;
    },
    async trends() {
      const months = await store.trends({ interval: 'month' });
      return months.reduce((sum, { count }) => sum + count, 0);
    },
    close: () => store.close(),
  };
}

/** Creates the store's schema. */
export async function migrate(url: string, Store = PostgresEventStore): Promise<void> {
  const store = await Store.connect({ connectionString: url, schema });
  try {
    await store.migrate();
  } finally {
    await store.close();
  }
}

/** Fills a table that has the columns of our events. Each event has a time of its own, as those of a store that grew. */
export function fillEventsSql(table: string, sequence: string, rows: string): readonly string[] {
  return [
    `insert into ${table} (
       position, stream_id, version, id, commit_id, category, type, schema_version, data, metadata, correlation_id,
       tags, occurred_at, recorded_at)
     select
       nextval('${sequence}'), stream_id, version, gen_random_uuid(), gen_random_uuid()::text,
       split_part(stream_id, '-', 1), type, 1, data::json, metadata::json, correlation_id, tags, at, at
     from (
       select *, timestamptz '2026-01-01' + ref * interval '1 millisecond' as at from (${rows}) r order by ref
     ) r`,
  ];
}

function toEvent({ type, data, metadata, tags, occurredAt }: NewEvent) {
  return { type, data, metadata, tags, ...(occurredAt !== undefined && { occurredAt }) };
}
