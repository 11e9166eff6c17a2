import { AppendConditionError, Query, SequencePosition, Tags, type DcbEvent } from '@dcb-es/event-store';
import { PostgresEventStore } from '@dcb-es/event-store-postgres';
import { Conflict, type Append, type Condition, type Contender, type TagFilter } from './contender.js';
import { openPool } from './pg-pool.js';

/** A store of events with tags and without streams, whose conditions name types and tags. */
export const dcbEs: Contender = {
  name: 'dcb-es',
  database: 'dcb-es',
  can: ['appendIf', 'appendBothIf', 'find'],
  claimsRepeatsAreSafe: false,
  table: 'events',
  // Without streams, each event is the first of one.
  storedSql: `
    select (payload::json->'data'->>'ref')::bigint as ref, sequence_position::text as stream_id, 1 as version from events`,

  async prepare(url) {
    const pool = openPool(url);
    await new PostgresEventStore({ pool }).ensureInstalled();
    await pool.end();
  },

  fillSql: (rows) => [
    `insert into events (type, tags, payload)
     select type, tags, format('{"data":%s,"metadata":%s}', data, metadata) from (${rows}) r order by ref`,
  ],

  open(url) {
    const pool = openPool(url);
    const store = new PostgresEventStore({ pool });
    const append = async (appends: readonly Append[], { filters, after }: Condition) => {
      const condition = { failIfEventsMatch: toQuery(filters), after: positionOf(after) };
      try {
        const position = await store.append(
          appends.map(({ events }) => ({ events: events.map(toEvent), condition })),
        );
        return Number(position.toString());
      } catch (error) {
        if (error instanceof AppendConditionError) throw new Conflict();
        throw error;
      }
    };
    return Promise.resolve({
      appendIf: (one, condition) => append([one], condition),
      async appendBothIf(both, condition) {
        await append(both, condition);
        return both.length;
      },
      async find(filter) {
        let [count, after] = [0, 0];
        for await (const { position } of store.read(toQuery([filter]))) {
          count++;
          after = Number(position.toString());
        }
        return { count, after };
      },
      close: () => pool.end(),
    });
  },
};

function toQuery(filters: readonly TagFilter[]): Query {
  return Query.fromItems(
    filters.map(({ types = [], tags = [] }) => ({ types: [...types], tags: Tags.from([...tags]) })),
  );
}

function positionOf(position: number): SequencePosition {
  return SequencePosition.fromString(String(position));
}

function toEvent({ type, data, metadata, tags }: Append['events'][number]): DcbEvent {
  return { type, data, metadata, tags: Tags.from([...tags]) };
}
