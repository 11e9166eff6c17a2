import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';
import { escapeIdentifier } from 'pg';
import { PostgresEventStore } from 'temporal-event-store/postgres';
import { findPostgresBinaries } from '../../../dev/postgres-server/binaries.js';
import { createCluster } from '../../../dev/postgres-server/cluster.js';
import { say } from '../console.js';
import { withClient } from '../faults.js';
import { describeFinding } from '../findings.js';
import { hotLaneRuns } from './audit.js';
import { runChaos, type ChaosOptions, type Outcome } from './chaos.js';
import { createTemporalServer } from './durable-temporal-server.js';
import { faults } from './faults.js';
import { omissions, type Omission } from './worker-store.js';

// CHAOS_COMMANDS commands by 32 callers in two processes, while all that can be is killed and cut CHAOS_ROUNDS times. What
// the callers were answered is then compared with what is stored. Before, the same with each guard left out.
const commands = Number(process.env['CHAOS_COMMANDS'] ?? 5_000);
const rounds = Number(process.env['CHAOS_ROUNDS'] ?? 5);

/** Which finding each omission must lead to. */
const consequences: Readonly<Record<Omission, string>> = {
  'the command id as the id of the commit': 'a command is stored once',
  'the new decision after a conflict': 'no wallet is overdrawn at any version',
  'the lookup before a rejection': 'what was only ever rejected is not stored',
  'the look at the stream before a rejection':
    'a rejection was right on a state between the question and the answer',
};

const folder = await mkdtemp(join(tmpdir(), 'chaos-'));
const cluster = await createCluster(await findPostgresBinaries());
const temporal = await createTemporalServer(folder, say);
try {
  await Promise.all([cluster.start(), temporal.start()]);
  const workflowBundle = await bundle();
  const run = async (
    name: string,
    options: Pick<ChaosOptions, 'commands' | 'faults' | 'omission'>,
  ): Promise<Outcome> =>
    runChaos({
      cluster,
      temporal,
      workflowBundle,
      folder,
      taskQueue: name,
      url: await createDatabase(name),
      ...options,
    });

  for (const [index, omission] of (Object.keys(omissions) as Omission[]).entries()) {
    const { findings } = await run(`control_${index + 1}`, { commands: 60, faults: [], omission });
    const caught = findings.find(({ invariant }) => invariant === consequences[omission])?.offenders ?? 0;
    say(`${caught > 0 ? 'caught' : 'NOT CAUGHT'}: without ${omission} (${caught})`);
    if (caught === 0) process.exitCode = 1;
  }

  const outcome = await run('chaos', {
    commands,
    faults: Array.from({ length: rounds }, () => Object.entries(faults)).flat(),
  });
  summarise(outcome);
} catch (error) {
  console.error(error);
  process.exitCode = 1;
} finally {
  await cluster.remove();
  await temporal.kill();
  if (process.exitCode === 1) say(`Journals and logs are in ${folder}`);
  else await rm(folder, { recursive: true, force: true });
}
// A process of a run that failed is still there.
process.exit();

/** Once, since the worker is started often. */
async function bundle(): Promise<string> {
  const workflowsPath = createRequire(import.meta.url).resolve('temporal-event-store/workflows');
  const { code } = await bundleWorkflowCode({ workflowsPath, logger: new DefaultLogger('ERROR') });
  const file = join(folder, 'workflows.js');
  await writeFile(file, code);
  return file;
}

async function createDatabase(name: string): Promise<string> {
  await withClient(cluster.url, (client) => client.query(`create database ${escapeIdentifier(name)}`));
  const url = cluster.url.replace(/postgres$/, name);
  await using store = await PostgresEventStore.connect({ connectionString: url });
  await store.migrate();
  return url;
}

function summarise({ findings, counts, tally }: Outcome): void {
  const deaths = [...tally.workerDeaths].map(([how, count]) => [`worker ended ${how}`, count] as const);
  const errors = [...tally.appendErrors].map(
    ([code, count]) => [`appends of the worker: ${code}`, count] as const,
  );
  const numbers = [
    ...Object.entries(faults).map(([name]) => [name, rounds] as const),
    ...deaths,
    ...errors,
    ['conflicts of the foreign writer', tally.foreignConflicts] as const,
    ...Object.entries(counts),
  ];
  say('');
  for (const [name, count] of numbers) say(`${String(count).padStart(9)}  ${name}`);
  say(`${(tally.longestStall / 1_000).toFixed(1).padStart(7)} s  longest time without an answer`);
  say('');
  const rows = [
    ...findings,
    {
      invariant: 'the lane of the hot wallet has continued as new',
      offenders: (counts[hotLaneRuns] ?? 0) > 1 ? 0 : 1,
      sample: '',
    },
    {
      invariant: 'no error but typed ones',
      offenders: tally.unexpected.length,
      sample: tally.unexpected.slice(0, 3).join('\n'),
    },
  ];
  for (const row of rows) say(describeFinding(row));
  if (rows.some(({ offenders }) => offenders > 0)) process.exitCode = 1;
}
