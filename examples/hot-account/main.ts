import { Client, Connection } from '@temporalio/client';
import pg from 'pg';
import { isEventStoreError, streamId } from 'temporal-event-store';
import { PostgresEventStore } from 'temporal-event-store/postgres';
import { startTemporalServer } from '../temporal-server.js';
import { Account } from './account.js';
import { formatCount, formatMilliseconds } from './format.js';
import { OptionError, readOptions, usage, type Options } from './options.js';
import { findFaults, readProof } from './proof.js';
import { runLoad, type LoadResult } from './run-load.js';

const schema = 'hot_account_example';
const noDatabase = `POSTGRES_URL is not set: the worker is killed and another started, so the database is a server. For example
  docker run --rm --detach --publish 5432:5432 --env POSTGRES_PASSWORD=postgres postgres:18
  export POSTGRES_URL=postgres://postgres:postgres@localhost:5432/postgres`;

async function main(options: Options): Promise<void> {
  const databaseUrl = process.env['POSTGRES_URL'];
  if (!databaseUrl) throw new OptionError(noDatabase);
  const server = await startTemporalServer();
  const { address, namespace, source } = server;
  const connection = await Connection.connect({ address });
  try {
    await migrate(databaseUrl);
    console.log(`PostgreSQL at POSTGRES_URL, Temporal at ${address} (${source}).`);
    const run = crypto.randomUUID().slice(0, 8);
    // On a server that stays, each run has accounts of its own.
    const accountIds = Array.from({ length: options.accounts }, (_, index) => `${run}-${index + 1}`);
    const settings = {
      address,
      namespace,
      taskQueue: `hot-account-${run}`,
      databaseUrl,
      schema,
    };
    describeLoad(options);
    const result = await runLoad(new Client({ connection, namespace }), settings, accountIds, options);
    describeResult(result);
    await prove(
      databaseUrl,
      accountIds.map((id) => streamId(Account.category, id)),
      result,
    );
  } finally {
    await connection.close();
    await server.stop();
  }
}

async function migrate(connectionString: string): Promise<void> {
  await using store = await PostgresEventStore.connect({ connectionString, schema });
  await store.migrate();
}

function describeLoad({ accounts, callers, lanes, kill }: Options): void {
  const to = accounts === 1 ? 'one account' : `${formatCount(accounts)} accounts`;
  const by = lanes === 'per-aggregate' ? 'a lane for each' : `${lanes} lanes`;
  console.log(`${formatCount(callers)} callers deposit to ${to}, by ${by}.`);
  if (kill) console.log('Half-way the process of the worker is killed, and another started.');
}

function describeResult({ resent, figures, silence }: LoadResult): void {
  const { commands, perSecond, p50, p99, batch, maxBatch } = figures;
  console.log(`\n${formatCount(commands)} commands, ${formatCount(perSecond)} a second`);
  console.log(`  p50 ${formatMilliseconds(p50)}, p99 ${formatMilliseconds(p99)}`);
  console.log(`  batches of ${formatCount(batch)} on average, of ${formatCount(maxBatch)} at most`);
  console.log(`  ${formatCount(resent)} were sent again after their answer, and found`);
  if (silence !== undefined) {
    console.log(`  ${formatMilliseconds(silence)} from the death of the worker to the next answer`);
  }
}

async function prove(
  connectionString: string,
  streamIds: readonly string[],
  result: LoadResult,
): Promise<void> {
  const client = new pg.Client({ connectionString });
  // Its loss is told by the query that needs it.
  client.on('error', () => undefined);
  await client.connect();
  try {
    const proof = await readProof(
      (sql, parameters) => client.query<Record<string, unknown>>(sql, parameters),
      schema,
      streamIds,
      result.commands,
    );
    console.log(`\nThe table ${schema}.events, compared with the answers by SQL`);
    console.log(`  ${formatCount(proof.commands)} commands answered, ${formatCount(proof.events)} events`);
    console.log(
      `  lost ${proof.lost}, applied more than once ${proof.repeated}, not asked for ${proof.unasked}`,
    );
    console.log(`  versions are 1 to n: ${proof.accounts - proof.broken} of ${proof.accounts} accounts`);
    console.log(`  deposited ${formatCount(proof.deposited)}, balance ${formatCount(proof.balance)}`);
    const faults = findFaults(proof);
    for (const fault of faults) console.error(fault);
    if (faults.length > 0) process.exitCode = 1;
    else console.log('Every command was applied exactly once.');
  } finally {
    await client.end();
  }
}

try {
  const options = readOptions(process.argv.slice(2));
  if (options === undefined) console.log(usage);
  else await main(options);
} catch (error) {
  const isExplained = isEventStoreError(error) || error instanceof OptionError;
  console.error(isExplained ? error.message : error);
  process.exitCode = 1;
}
