import type { Contender } from './contenders/contender.js';
import { withClient } from './databases.js';
import type { Ledger } from './workload/ledger.js';

/** What must not happen, counted. */
export type Faults = {
  /** Events that were acknowledged and are not stored. */
  readonly lost: number;
  /** Events that are stored twice, or share a version of a stream. */
  readonly duplicated: number;
  /**
   * Appends that were accepted with an expected version that another was accepted with, streams whose versions are not
   * 1 to n, and events of a repeated append that are stored twice.
   */
  readonly acceptedWrongly: number;
  readonly deadlocks: number;
};

/** Compares what a contender acknowledged with what it stored, by plain SQL. To be called when its sessions are closed. */
export async function audit(contender: Contender, url: string, ledger: Ledger): Promise<Faults> {
  return withClient(url, async (client) => {
    const one = async (sql: string, values: readonly unknown[] = []) => {
      const { rows } = await client.query<{ count: string }>(`select (${sql}) as count`, [...values]);
      return Number(rows[0]!.count);
    };

    await client.query(`create temp table stored as ${contender.storedSql}`);
    await client.query('create temp table acknowledged (ref bigint)');
    for (let start = 0; start < ledger.refs.length; start += chunk) {
      const refs = ledger.refs.slice(start, start + chunk);
      await client.query('insert into acknowledged select unnest($1::bigint[])', [refs]);
    }
    await client.query('analyze stored, acknowledged');

    const lost = await one(
      'select count(*) from (select ref from acknowledged except select ref from stored) l',
    );
    const duplicated = await one(
      'select 2 * count(*) - count(distinct ref) - count(distinct (stream_id, version)) from stored',
    );
    const brokenStreams = await one(
      `select count(*) from (
         select from stored group by stream_id having min(version) <> 1 or max(version) <> count(distinct version)
       ) s`,
    );
    const storedTwice = await one(
      'select count(*) - count(distinct ref) from stored where ref = any ($1::bigint[])',
      [ledger.repeatedRefs],
    );
    const deadlocks = await one('select deadlocks from pg_stat_database where datname = current_database()');
    return {
      lost,
      duplicated,
      acceptedWrongly: ledger.countAcceptedTwice() + brokenStreams + storedTwice,
      deadlocks,
    };
  });
}

const chunk = 100_000;
