import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { PostgresEventStore } from 'temporal-event-store/postgres';
import { findPostgresBinaries } from '../../../dev/postgres-server/binaries.js';
import { createCluster } from '../../../dev/postgres-server/cluster.js';
import { say } from '../console.js';
import { withClient } from '../faults.js';
import { findBroken, withoutLocks } from './proof.js';
import { race, type Outcomes } from './racers.js';

// Three processes race for emails, seats, courses and money for FAULT_MINUTES, while the server and the processes are
// killed. The log must show that no condition was broken.
const minutes = Number(process.env['FAULT_MINUTES'] ?? 5);
const things = 400;

const cluster = await createCluster(await findPostgresBinaries(), {
  settings: { max_connections: '120', max_prepared_transactions: '10' },
});
try {
  await cluster.start();
  await runControl();
  await runRace();
} catch (error) {
  console.error(error);
  process.exitCode = 1;
} finally {
  await cluster.remove();
}
process.exit();

/** Without the locks, the same race and the same proof find broken conditions. */
async function runControl(): Promise<void> {
  const { url, store } = await createStore('control');
  await withoutLocks(url);
  await race({ stores: [store], url, racers: 24, things: 4, goesOn: (turns) => turns < 100 });
  await store.close();
  const { broken } = await findBroken(url);
  if (broken.length === 0) throw new Error('The control, without locks, broke no condition.');
  say(`control: without locks ${broken.length} conditions or limits are broken`);
}

async function runRace(): Promise<void> {
  const { url, store } = await createStore('conditions');
  await store.close();
  const racers = [1, 2, 3].map(() => start(url));
  const end = performance.now() + minutes * 60_000;
  let kills = 0;
  while (performance.now() < end) {
    await new Promise((resolve) => setTimeout(resolve, 5_000));
    if (kills++ % 2 === 0) {
      await cluster.killHard();
      await cluster.start();
    } else {
      const index = kills % racers.length;
      racers[index]?.kill('SIGKILL');
      racers[index] = start(url);
    }
  }
  const outcomes = await Promise.all(racers.map(finish));
  const { conditions, broken } = await findBroken(url);
  const log = await cluster.log();
  const deadlocks = log.match(/deadlock detected/g)?.length ?? 0;
  for (const [kind, { appended, refused }] of Object.entries(sum(outcomes))) {
    say(`${kind}: ${appended} appended, ${refused} refused`);
  }
  say(
    `${conditions} appends under a condition, ${kills} kills, ${deadlocks} deadlocks, ${broken.length} broken`,
  );
  for (const each of broken.slice(0, 20)) console.error(each);
  if (broken.length > 0 || conditions < 100 * minutes) process.exitCode = 1;
}

async function createStore(database: string): Promise<{ url: string; store: PostgresEventStore }> {
  await withClient(cluster.url, (client) => client.query(`create database ${database}`));
  const url = cluster.url.replace(/postgres$/, database);
  const store = await PostgresEventStore.connect({ connectionString: url });
  await store.migrate();
  return { url, store };
}

function start(url: string): ChildProcess {
  return fork(new URL('./racer-process.ts', import.meta.url), {
    execArgv: process.execArgv,
    env: { ...process.env, STORE_URL: url, THINGS: String(things) },
  });
}

async function finish(racer: ChildProcess): Promise<Outcomes> {
  racer.send('end');
  const [outcomes] = (await once(racer, 'message')) as [Outcomes];
  return outcomes;
}

function sum(all: readonly Outcomes[]): Outcomes {
  const total: Outcomes = {};
  for (const outcomes of all) {
    for (const [kind, { appended, refused }] of Object.entries(outcomes)) {
      const of = (total[kind] ??= { appended: 0, refused: 0 });
      of.appended += appended;
      of.refused += refused;
    }
  }
  return total;
}
