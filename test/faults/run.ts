import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { escapeIdentifier } from 'pg';
import { PostgresEventStore } from 'temporal-event-store/postgres';
import { findPostgresBinaries } from '../../dev/postgres-server/binaries.js';
import { createCluster } from '../../dev/postgres-server/cluster.js';
import { startTcpProxy } from '../support/tcp-proxy.js';
import { audit, type Audit } from './audit.js';
import { say, showProgress } from './console.js';
import { runControls } from './controls.js';
import { runScenes } from './failover/run.js';
import { faults, withClient, type Target } from './faults.js';
import { describeFinding } from './findings.js';
import { openJournal, type WriterLine } from './journal.js';
import { Program } from './program.js';
import { lastEvent } from './reader.js';
import { waitUntil, within } from './wait.js';
import { WriterProgram } from './writer-program.js';

// 16 writers in two processes against a server that syncs, one fault at a time, for FAULT_MINUTES. What they and the
// readers wrote down is then compared with what is stored, by plain SQL.
const minutes = Number(process.env['FAULT_MINUTES'] ?? 10);
const writersAProcess = 8;

const folder = await mkdtemp(join(tmpdir(), 'faults-'));
const cluster = await createCluster(await findPostgresBinaries(), { settings: { max_connections: '60' } });
const unexpected: string[] = [];
try {
  await cluster.start();
  await runControls(createStore, folder, say);
  await runScenes();

  const { url, store } = await createStore('faults');
  const proxy = await startTcpProxy(url);
  const journals = await mkdtemp(join(folder, 'run-'));
  const env = { FOLDER: journals, WRITERS: String(writersAProcess) };
  const onUnexpected = (error: string): void => void unexpected.push(error);
  const writers = ['writers 1', 'writers 2'].map(
    (name) => new WriterProgram(name, { ...env, STORE_URL: proxy.url(url) }, onUnexpected),
  );
  const readers = new Program({
    name: 'readers',
    file: new URL('./reader-process.ts', import.meta.url),
    env: { ...env, STORE_URL: url },
    onReport: () => undefined,
    onUnexpected,
  });
  const journal = openJournal<WriterLine>(join(journals, 'run.writer'));
  for (const program of [...writers, readers]) program.start();

  const made = await makeFaults({ cluster, proxy, url, database: 'faults', writers, store, journal });
  for (const writer of writers) writer.tell({ kind: 'finish' });
  await waitUntil(() => writers.every((writer) => writer.isFinished), 'the writers have finished');
  await appendLast(store, journal);
  await within(
    120,
    'the readers have read all',
    Promise.all([...writers, readers].map((each) => each.end())),
  );
  await store.close();
  await proxy.close();

  const deadlocks = (await cluster.log()).match(/deadlock detected/g)?.length ?? 0;
  summarise(await audit(url, journals), deadlocks, made, writers);
} catch (error) {
  console.error(error);
  process.exitCode = 1;
} finally {
  await cluster.remove();
  await rm(folder, { recursive: true, force: true });
}
// A process of a run that failed is still there.
process.exit();

async function createStore(database: string): Promise<{ url: string; store: PostgresEventStore }> {
  await withClient(cluster.url, (client) => client.query(`create database ${escapeIdentifier(database)}`));
  const url = cluster.url.replace(/postgres$/, database);
  const store = await PostgresEventStore.connect({ connectionString: url });
  await store.migrate();
  return { url, store };
}

/** Returns how often each fault was made. */
async function makeFaults(target: Target): Promise<Map<string, number>> {
  const made = new Map<string, number>();
  await waitForAppends(target.writers, 'the start');
  const end = performance.now() + minutes * 60_000;
  while (performance.now() < end) {
    for (const [name, make] of shuffled(Object.entries(faults))) {
      if (performance.now() > end) break;
      showWriters(name, target.writers);
      await within(60, `the fault "${name}" has ended`, make(target));
      made.set(name, (made.get(name) ?? 0) + 1);
      await waitForAppends(target.writers, name);
    }
  }
  return made;
}

/** Each process must append again after each fault. */
async function waitForAppends(writers: readonly WriterProgram[], after: string): Promise<void> {
  const goals = writers.map((writer) => writer.appends + 100);
  await waitUntil(
    () => writers.every((writer, index) => writer.appends >= (goals[index] ?? 0)),
    `all writers append again after: ${after}`,
  );
}

/** For readers to know that no more will come. */
async function appendLast(store: PostgresEventStore, journal: Target['journal']): Promise<void> {
  const commit = { fact: 'last', commitId: 'last', streamId: 'Hot-last', events: 1 };
  journal.write(['sent', commit, Date.now()]);
  const { version, position } = await store.appendToStream(
    commit.streamId,
    [{ type: lastEvent, data: { fact: 'last', ordinal: 0 } }],
    { commitId: commit.commitId },
  );
  journal.write(['acknowledged', commit.commitId, version, position, Date.now()]);
}

function summarise(
  { findings, counts }: Audit,
  deadlocks: number,
  made: ReadonlyMap<string, number>,
  writers: readonly WriterProgram[],
): void {
  say('');
  for (const [name, count] of made) say(`${String(count).padStart(9)}  ${name}`);
  say('');
  const retries = writers.reduce((sum, writer) => sum + writer.retries, 0);
  for (const [name, count] of Object.entries({ ...counts, 'sent again by a writer': retries })) {
    say(`${String(count).padStart(9)}  ${name}`);
  }
  say('');
  const rows = [
    ...findings,
    { invariant: 'no deadlock in the log of the server', offenders: deadlocks, sample: '' },
    {
      invariant: 'no error but the typed ones of a retryable fault',
      offenders: unexpected.length,
      sample: unexpected.slice(0, 3).join('\n'),
    },
  ];
  for (const row of rows) say(describeFinding(row));
  if (rows.some(({ offenders }) => offenders > 0)) process.exitCode = 1;
}

function showWriters(fault: string, writers: readonly WriterProgram[]): void {
  const appends = writers.reduce((sum, writer) => sum + writer.appends, 0);
  showProgress(`${appends} appends, ${unexpected.length} unexpected errors; now: ${fault}`);
}

function shuffled<T>(items: readonly T[]): T[] {
  return items
    .map((item) => ({ item, place: Math.random() }))
    .sort((one, other) => one.place - other.place)
    .map(({ item }) => item);
}
