import type { QueryResultRow } from 'pg';
import type { EventToAppend } from 'temporal-event-store';
import type { PostgresEventStore } from 'temporal-event-store/postgres';
import type { Consumer } from './consumers.js';
import { connect, query } from './postgres.js';

/** An append in a transaction that a test ends when it wants to. */
export interface OpenAppend {
  readonly position: number;
  run(sql: string): Promise<void>;
  commit(): Promise<void>;
  rollback(): Promise<void>;
  /** Ends its server process. */
  terminate(): Promise<void>;
}

export async function openAppend(
  store: PostgresEventStore,
  directUrl: string,
  streamId: string,
  event: EventToAppend = { type: 'Happened', data: {} },
): Promise<OpenAppend> {
  const client = await connect(directUrl);
  await client.query('begin');
  const { position } = await store.inTransaction(client).appendToStream(streamId, [event]);
  const run = async (sql: string): Promise<void> => {
    await client.query(sql);
  };
  return {
    position,
    run,
    commit: () => run('commit'),
    rollback: () => run('rollback'),
    async terminate() {
      const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
      await query(directUrl, 'select pg_terminate_backend($1, 10000)', [rows[0]!.pid]);
    },
  };
}

/** A poll that has begun. */
interface Poll {
  /** Whether it has not ended, but waits for appends that are under way. */
  readonly isWaiting: boolean;
  /** Returns when it has looked again and still waits, or has ended. */
  lookAgain(): Promise<void>;
  finish(): Promise<void>;
}

/**
 * Begins a poll, and returns when it has ended or waits for appends that are under way.
 *
 * @param application the `application_name` of the consumer, where others look too
 */
export async function startPoll(consumer: Consumer, directUrl: string, application?: string): Promise<Poll> {
  let observer = await connect(directUrl);
  const ask = async <Row extends QueryResultRow>(sql: string, values: unknown[] = []) => {
    const asked = observer.query<Row>(sql, values).catch(async () => {
      // The server may have been restarted since.
      observer = await connect(directUrl);
      return observer.query<Row>(sql, values);
    });
    return (await asked).rows;
  };
  const now = async (): Promise<string> =>
    (await ask<{ now: string }>('select clock_timestamp()::text as now'))[0]!.now;
  const hasLookedSince = async (time: string): Promise<boolean> => {
    const looks = await ask(
      `select from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()
         and state like 'idle%' and query like '%pg_locks l%append_lock() k%' and query_start > $1::timestamptz
         and application_name = coalesce($2, application_name)`,
      [time, application],
    );
    return looks.length > 0;
  };
  let hasEnded = false;
  const begin = await now();
  const end = consumer.poll().finally(() => (hasEnded = true));
  end.catch(() => undefined);
  // Twice, since one who has found nothing to wait for does not look again, and has ended then.
  const untilLookedTwiceSince = async (time: string): Promise<void> => {
    while (!hasEnded && !(await hasLookedSince(time)));
    const first = await now();
    while (!hasEnded && !(await hasLookedSince(first)));
  };
  await untilLookedTwiceSince(begin);
  return {
    isWaiting: !hasEnded,
    lookAgain: async () => untilLookedTwiceSince(await now()),
    finish: () => end,
  };
}
