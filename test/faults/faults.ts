import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import type { PostgresEventStore } from 'temporal-event-store/postgres';
import type { Cluster } from '../../dev/postgres-server/cluster.js';
import type { Exchange } from '../support/postgres-messages.js';
import type { TcpProxy } from '../support/tcp-proxy.js';
import type { Journal, WriterLine } from './journal.js';
import type { WriterProgram } from './writer-program.js';

/** What faults are made with. */
export interface Target {
  readonly cluster: Cluster;
  /** Between the writers and the server. */
  readonly proxy: TcpProxy;
  /** Of the database, past the proxy. */
  readonly url: string;
  readonly database: string;
  readonly writers: readonly WriterProgram[];
  /** Past the proxy, for appends in transactions of the run itself, whose journal is this. */
  readonly store: PostgresEventStore;
  readonly journal: Journal<WriterLine>;
}

/** Each begins and ends; after it the writers must go on. */
export const faults: Readonly<Record<string, (target: Target) => Promise<void>>> = {
  async 'backends terminated'({ url }) {
    for (let round = 0; round < 5; round++) {
      await withClient(url, (client) =>
        client.query(`select pg_terminate_backend(pid) from pg_stat_activity
          where datname = current_database() and pid <> pg_backend_pid() and random() < 0.5`),
      );
      await sleep(200);
    }
  },

  async 'server killed'({ cluster }) {
    await cluster.killHard();
    await cluster.start();
  },

  async 'cut after COMMIT'({ proxy }) {
    for (let round = 0; round < 10; round++) await proxy.cutAfter(isAppend);
  },

  async 'connections reset'({ proxy }) {
    for (let round = 0; round < 5; round++) {
      proxy.reset();
      await sleep(200);
    }
  },

  // Longer than the store waits for an answer; what was sent before arrives after it was sent again.
  async 'half-open connections'({ proxy }) {
    proxy.stall();
    await sleep(3_500);
    proxy.resume();
  },

  async 'slow network'({ proxy }) {
    proxy.delay(20);
    await sleep(2_000);
    proxy.delay(0);
  },

  async 'writer process killed'({ writers }) {
    const writer = writers[Math.floor(Math.random() * writers.length)];
    await writer?.kill();
    writer?.start();
  },

  async 'long foreign transactions'({ url, cluster }) {
    const hold = (address: string) =>
      withClient(address, async (client) => {
        await client.query('create table if not exists business (note text)');
        await client.query(
          "begin; insert into business values ('slow'); select pg_advisory_xact_lock_shared(1)",
        );
        await sleep(3_000);
        await client.query('commit');
      });
    await Promise.all([hold(url), hold(cluster.url)]);
  },

  // Their appends wait, and no others.
  async 'streams locked'({ url }) {
    await withClient(url, async (client) => {
      await client.query('begin; select from event_store.streams order by random() limit 3 for update');
      await sleep(2_000);
      await client.query('commit');
    });
  },

  // Readers wait for both, and then see the one and not the other.
  async 'appends held open'({ url, store, journal }) {
    await Promise.all(
      (['commit', 'rollback'] as const).map((end) =>
        withClient(url, async (client) => {
          const fact = `held-${crypto.randomUUID()}`;
          const streamId = `Hot-${fact}`;
          journal.write(['sent', { fact, commitId: fact, streamId, events: 1 }, Date.now()]);
          await client.query('begin');
          const { version, position } = await store
            .inTransaction(client)
            .appendToStream(streamId, [{ type: 'Happened', data: { fact, ordinal: 0 } }], { commitId: fact });
          await sleep(1_500);
          await client.query(end);
          journal.write(
            end === 'commit' ? ['acknowledged', fact, version, position, Date.now()] : ['rejected', fact],
          );
        }),
      ),
    );
  },

  async 'statement timeout'({ url, database }) {
    await withClient(url, async (client) => {
      await client.query(`alter database ${database} set statement_timeout = 100`);
      await client.query(terminateOthers);
      await client.query('begin; lock table event_store.events in share row exclusive mode');
      await sleep(1_500);
      await client.query('commit');
      await client.query(`alter database ${database} reset statement_timeout`);
      await client.query(terminateOthers);
    });
  },

  async 'too many connections'({ url }) {
    const taken: Client[] = [];
    try {
      for (const until = performance.now() + 2_000; performance.now() < until;) {
        try {
          taken.push(await open(url));
        } catch {
          await taken[0]?.query(
            `select pg_terminate_backend(pid) from pg_stat_activity
             where datname = current_database() and application_name <> 'taken' and random() < 0.3`,
          );
          await sleep(50);
        }
      }
    } finally {
      await Promise.all(taken.map((client) => client.end()));
    }
  },

  async 'pool exhausted'({ writers }) {
    for (const writer of writers) writer.tell({ kind: 'exhaustPool', milliseconds: 2_500 });
    await sleep(2_500);
  },
};

/** The statement that appends is a transaction of its own: its answer is that of COMMIT. */
export function isAppend({ sql }: Exchange): boolean {
  return sql.some((text) => /append_(event|members)\(/.test(text));
}

export async function withClient<T>(url: string, run: (client: Client) => Promise<T>): Promise<T> {
  const client = await open(url);
  try {
    return await run(client);
  } finally {
    await client.end();
  }
}

const terminateOthers = `select pg_terminate_backend(pid) from pg_stat_activity
  where datname = current_database() and pid <> pg_backend_pid()`;

async function open(url: string): Promise<Client> {
  const client = new Client({ connectionString: url, application_name: 'taken' });
  client.on('error', () => undefined);
  await client.connect();
  return client;
}
