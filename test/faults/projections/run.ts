import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundleWorkflowCode, DefaultLogger, Runtime } from '@temporalio/worker';
import { escapeIdentifier } from 'pg';
import { PostgresEventStore } from 'temporal-event-store/postgres';
import { findPostgresBinaries } from '../../../dev/postgres-server/binaries.js';
import { createCluster } from '../../../dev/postgres-server/cluster.js';
import { createTemporalServer } from '../commands/durable-temporal-server.js';
import { say } from '../console.js';
import { withClient } from '../faults.js';
import { describeFinding, type Finding } from '../findings.js';
import { auditTables, invariants } from './audit.js';
import { faults, kills, type Fault } from './faults.js';
import type { Omission } from './omissions.js';
import { playPromotions } from './promotion.js';
import { rebuilds, rollOuts } from './rebuild.js';
import { play, type Outcome } from './scenario.js';
import { changeShards } from './shards.js';

// Two workers fight over a projection while events are written and read, and are killed PROJECTION_KILLS times, beside all
// that can be cut and killed. After each round the read model is compared with the log. With one shard, and with four; then
// it is rebuilt under the same load. Before, sinks that get it wrong.
// Then the number of shards of a publisher changes under load, and standbys are promoted.
const killCount = Number(process.env['PROJECTION_KILLS'] ?? 20);

interface Control {
  readonly round: string;
  /** One of these must have offenders. */
  readonly consequences: readonly string[];
}

/** In which round each omission must be found, and by what. */
const controls: Readonly<Record<Omission, Control>> = {
  'a checkpoint that is written after the page': {
    round: 'worker died after COMMIT',
    consequences: [invariants.once],
  },
  'a checkpoint that is written before the page': {
    round: 'worker died before COMMIT',
    consequences: [invariants.lost],
  },
  'a token that nobody looks at': {
    round: 'worker stopped between pages, succeeded, and woken',
    consequences: [invariants.owner],
  },
};

Runtime.install({ logger: new DefaultLogger('ERROR'), telemetryOptions: { logging: { filter: 'ERROR' } } });
const folder = await mkdtemp(join(tmpdir(), 'projections-'));
const cluster = await createCluster(await findPostgresBinaries(), {
  // A worker that is stopped in a page holds its lock until the server has had enough.
  settings: { idle_in_transaction_session_timeout: '3s' },
});
const temporal = await createTemporalServer(folder, say);
try {
  await Promise.all([cluster.start(), temporal.start()]);
  const workflowBundle = await bundle();
  const run = async (
    name: string,
    shards: number,
    rounds: readonly (readonly [string, Fault])[],
    omission?: Omission,
  ): Promise<Outcome> =>
    play(
      {
        cluster,
        temporal,
        workflowBundle,
        logFile: join(folder, 'log'),
        taskQueue: name,
        url: await createDatabase(name),
        shards,
        ...(omission !== undefined && { omission }),
      },
      rounds,
    );

  for (const [index, [omission, { round, consequences }]] of Object.entries(controls).entries()) {
    const made = { ...kills, ...faults }[round] as Fault;
    let found: readonly Finding[] = [];
    // A worker that is woken may begin a task that it had polled before, which takes the shard over and ends the page that it was in.
    for (let play = 1; found.length === 0 && play <= 3; play++) {
      const { findings } = await run(
        `control_${index + 1}_${play}`,
        1,
        [[round, made]],
        omission as Omission,
      );
      found = findings.filter(
        ({ invariant, offenders }) => offenders > 0 && consequences.includes(invariant),
      );
    }
    say(
      `${found.length > 0 ? 'caught' : 'NOT CAUGHT'}: ${omission} (${found.map(({ offenders }) => offenders).join()})`,
    );
    if (found.length === 0) process.exitCode = 1;
  }

  await runShards(workflowBundle);
  const promoted = await playPromotions(
    { temporal, workflowBundle, logFile: join(folder, 'log'), taskQueue: 'promotions', shards: 2 },
    (serverUrl, name) => createDatabase(name, serverUrl),
  );
  for (const [name, outcome] of Object.entries(promoted)) summarise(name, outcome);
  const ways = Object.entries(kills);
  const deaths = Array.from(
    { length: killCount },
    (_, index) => ways[index % ways.length] as (typeof ways)[number],
  );
  const rounds = [...deaths, ...Object.entries(faults)];
  summarise('one shard', await run('one_shard', 1, [...rounds, ...Object.entries(rollOuts)]));
  summarise(
    'four shards, and rebuilt',
    await run('four_shards', 4, [...rounds, ...Object.entries(rebuilds)]),
  );
} catch (error) {
  console.error(error);
  process.exitCode = 1;
} finally {
  await cluster.remove();
  await temporal.kill();
  if (process.exitCode === 1) say(`Logs are in ${folder}`);
  else await rm(folder, { recursive: true, force: true });
}
// A process of a run that failed is still there.
process.exit();

async function runShards(workflowBundle: string): Promise<void> {
  const { address } = temporal;
  for (const isForgetful of [true, false]) {
    const name = isForgetful ? 'control_of_shards' : 'shards';
    const url = await createDatabase(name);
    const findings = await changeShards({ url, address, taskQueue: name, workflowBundle, isForgetful });
    const broken = findings.filter(({ offenders }) => offenders > 0);
    if (isForgetful) say(`${broken.length > 0 ? 'caught' : 'NOT CAUGHT'}: shards that begin at the end`);
    else for (const finding of findings) say(describeFinding(finding));
    if (isForgetful === (broken.length === 0)) process.exitCode = 1;
  }
}

/** Once, since the workers are started often. */
async function bundle(): Promise<string> {
  const workflowsPath = createRequire(import.meta.url).resolve('temporal-event-store/workflows');
  const { code } = await bundleWorkflowCode({ workflowsPath, logger: new DefaultLogger('ERROR') });
  const file = join(folder, 'workflows.js');
  await writeFile(file, code);
  return file;
}

async function createDatabase(name: string, serverUrl = cluster.url): Promise<string> {
  await withClient(serverUrl, (client) => client.query(`create database ${escapeIdentifier(name)}`));
  const url = serverUrl.replace(/postgres$/, name);
  await using store = await PostgresEventStore.connect({ connectionString: url });
  await store.migrate();
  await withClient(url, (client) => client.query(auditTables));
  return url;
}

function summarise(name: string, { findings, counts, tally }: Outcome): void {
  const numbers = [
    ...[...tally.deaths].map(([how, count]) => [`deaths of workers ${how}`, count] as const),
    ...Object.keys(faults).map((fault) => [fault, 1] as const),
    ['takeovers of a shard', tally.takeovers] as const,
    ['pages written', tally.pages] as const,
    ['pages refused, of owners who were succeeded', tally.refused] as const,
    ...[...tally.failures].map(([code, count]) => [`pages failed: ${code}`, count] as const),
    ...Object.entries(counts),
  ];
  say('');
  say(name);
  for (const [what, count] of numbers) say(`${String(count).padStart(9)}  ${what}`);
  const longest = Math.max(...tally.recoveries) / 1_000;
  say(`${longest.toFixed(1).padStart(7)} s  longest time until the read model was up to date`);
  say('');
  for (const finding of findings) say(describeFinding(finding));
  if (findings.some(({ offenders }) => offenders > 0)) process.exitCode = 1;
}
