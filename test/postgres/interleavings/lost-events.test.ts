import type { PostgresEventStore } from 'temporal-event-store/postgres';
import { describe, expect, test } from 'vitest';
import {
  consumerOf,
  faultsOf,
  filteredCursor,
  lockWatcher,
  positionCursor,
  transactionHorizon,
  type Consumer,
} from '../../support/consumers.js';
import { openAppend, startPoll } from '../../support/open-append.js';
import { useEmptyStore } from '../../support/postgres-store.js';
import { connect, countLockWaits, query } from '../../support/postgres.js';
import { openSessions } from '../../support/sessions.js';

interface Scene {
  readonly store: PostgresEventStore;
  readonly directUrl: string;
  readonly consumer: Consumer;
}

/** A schedule in which a later position is committed and seen before an earlier one. */
interface Hazard {
  readonly schedule: (scene: Scene) => Promise<void>;
  /** Who loses an event in it. */
  readonly control: readonly [name: string, consumer: (directUrl: string) => Consumer];
  readonly lost: readonly number[];
  /** What the consumers are after; everything by default. */
  readonly type?: string;
}

const happened = [{ type: 'Happened', data: {} }];

const hazards: Readonly<Record<string, Hazard>> = {
  //  slow    begin  append 1                          commit
  //  fast                     append 2
  //  reader                             poll … … … …         2, or 1 and 2
  'an append that commits after a later one': {
    async schedule({ store, directUrl, consumer }) {
      const slow = await openAppend(store, directUrl, 'Slow-1');
      await store.appendToStream('Fast-1', happened);
      const poll = await startPoll(consumer, directUrl);
      await slow.commit();
      await poll.finish();
    },
    control: ['a cursor of positions', positionCursor],
    lost: [1],
  },

  //  The same, with an append that the store sends by itself and whose commit takes long.
  'a batch that is slow to commit': {
    async schedule({ store, directUrl, consumer }) {
      await slowDownCommitsOf(directUrl, 'Slow-1');
      const { gate } = await openSessions(directUrl, 'gate');
      await gate.run('select pg_advisory_lock(7)');
      const slow = store.appendToStream('Slow-1', [...happened, ...happened]);
      await expect.poll(() => countLockWaits(directUrl)).toBe(1);
      await store.appendToStream('Fast-1', happened);
      const poll = await startPoll(consumer, directUrl);
      await gate.run('select pg_advisory_unlock(7)');
      await slow;
      await poll.finish();
    },
    control: ['a cursor of positions', positionCursor],
    lost: [1, 2],
  },

  //  first   begin                  append 2   commit
  //  second         append 1                            commit
  //  reader                                       poll
  'an older transaction that draws a later position': {
    async schedule({ store, directUrl, consumer }) {
      const first = await connect(directUrl);
      await first.query('begin');
      await first.query('select pg_current_xact_id()');
      const second = await openAppend(store, directUrl, 'Second-1');
      await store.inTransaction(first).appendToStream('First-1', happened);
      await first.query('commit');
      await untilOthersHaveEnded(directUrl);
      const poll = await startPoll(consumer, directUrl);
      await second.commit();
      await poll.finish();
    },
    control: ['a cursor of positions below the oldest transaction', transactionHorizon],
    lost: [1],
  },

  //  slow    append 1 of the type                           commit
  //  fast                       append 2 of another type
  //  reader                                            poll
  'an append that a filter is after, behind one that it leaves out': {
    async schedule({ store, directUrl, consumer }) {
      const slow = await openAppend(store, directUrl, 'Slow-1', { type: 'Wanted', data: {} });
      await store.appendToStream('Fast-1', happened);
      const poll = await startPoll(consumer, directUrl);
      await slow.commit();
      await poll.finish();
    },
    control: ['a filtered cursor', (directUrl) => filteredCursor(directUrl, 'Wanted')],
    lost: [1],
    type: 'Wanted',
  },

  //  Nobody's process holds the lock of a prepared transaction.
  'a prepared transaction': {
    async schedule({ store, directUrl, consumer }) {
      const slow = await openAppend(store, directUrl, 'Slow-1');
      await slow.run(`prepare transaction 'slow'`);
      await store.appendToStream('Fast-1', happened);
      const poll = await startPoll(consumer, directUrl);
      await query(directUrl, `commit prepared 'slow'`);
      await poll.finish();
    },
    control: ['one who looks for processes', (directUrl) => lockWatcher(directUrl, 'pid')],
    lost: [1],
  },

  //  slow    append 1                     prepare              commit prepared
  //  fast             append 2
  //  reader                      poll … … … … … … … … … … … …
  'a transaction that is prepared while a reader waits for it': {
    async schedule({ store, directUrl, consumer }) {
      const slow = await openAppend(store, directUrl, 'Slow-1');
      await store.appendToStream('Fast-1', happened);
      const poll = await startPoll(consumer, directUrl);
      await slow.run(`prepare transaction 'slow'`);
      await poll.lookAgain();
      await query(directUrl, `commit prepared 'slow'`);
      await poll.finish();
    },
    control: ['one who looks for processes', (directUrl) => lockWatcher(directUrl, 'pid')],
    lost: [1],
  },
};

describe.each(Object.entries(hazards))('%s', (_, { schedule, control: [name, naive], lost, type }) => {
  const condition = type === undefined ? 'true' : `type = '${type}'`;

  test('loses no event for a reader of the store', async () => {
    const { store, database } = await useEmptyStore();
    const consumer = consumerOf(store, type === undefined ? {} : { filter: { types: [type] } });

    await schedule({ store, directUrl: database.directUrl, consumer });
    await consumer.poll();

    expect(await faultsOf(consumer, database.directUrl, condition)).toEqual([]);
    expect(consumer.seen.length).toBeGreaterThan(0);
  });

  test(`loses one for ${name}`, async () => {
    const { store, database } = await useEmptyStore();
    const consumer = naive(database.directUrl);

    await schedule({ store, directUrl: database.directUrl, consumer });
    await consumer.poll();

    expect(await faultsOf(consumer, database.directUrl, condition)).toEqual(
      lost.map((position) => `${position} is lost`),
    );
  });
});

/** Until the oldest transaction of the server, which other tests use too, is one of this database. */
async function untilOthersHaveEnded(directUrl: string): Promise<void> {
  const oldest = `select from pg_stat_activity where datname = current_database()
                  and backend_xid = (pg_snapshot_xmin(pg_current_snapshot())::text)::xid`;
  await expect.poll(() => query(directUrl, oldest), { timeout: 10_000 }).toHaveLength(1);
}

/**
 * A trigger that holds up commits of events of this stream while somebody has the advisory lock 7: however long, or the store would
 * give up waiting for it as for any lock, and send the append again, for later positions.
 */
async function slowDownCommitsOf(directUrl: string, streamId: string): Promise<void> {
  await query(
    directUrl,
    `create function event_store.wait_for_gate() returns trigger language plpgsql set lock_timeout = 0 as $$
     begin perform pg_advisory_xact_lock_shared(7); return null; end $$;
     create constraint trigger slow_commit after insert on event_store.events deferrable initially deferred
     for each row when (new.stream_id = '${streamId}') execute function event_store.wait_for_gate()`,
  );
}
