import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { startPostgresServer, type PostgresServer } from '../../dev/postgres-server.js';
import { runScript, type ScriptResult } from './script.js';

let server: PostgresServer;
const database = `examples_${crypto.randomUUID().slice(0, 8)}`;
beforeAll(async () => {
  server = await startPostgresServer();
  await query(server.url, `create database ${database}`);
});
afterAll(async () => {
  await query(server.url, `drop database ${database} with (force)`);
  await server.stop();
});

interface Count {
  readonly payments: number;
}

async function query(url: string, sql: string): Promise<unknown[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}

function databaseUrl(): string {
  const url = new URL(server.url);
  url.pathname = `/${database}`;
  return url.href;
}

async function runExample(name: string): Promise<ScriptResult> {
  const { address, namespace } = inject('temporal');
  return runScript(new URL(`../../examples/dist/${name}/main.js`, import.meta.url), [], {
    env: { POSTGRES_URL: databaseUrl(), TEMPORAL_ADDRESS: address, TEMPORAL_NAMESPACE: namespace },
  });
}

describe('with POSTGRES_URL', { timeout: 180_000 }, () => {
  it('npm run example keeps its payments on the server, and the next run goes on with others', async () => {
    const first = await runExample('payment');
    expect(first).toMatchObject({ code: 0 });
    expect(first.stdout).toContain('The event store is in PostgreSQL, at POSTGRES_URL.\n');
    expect(first.stdout).toContain('payment-3, €300.00 → processed, version 1\n');
    expect(first.stdout).toContain('4 events in 4 streams\n');

    const payments = async (): Promise<number> =>
      (await query(databaseUrl(), 'select distinct stream_id from payment_example.events')).length;
    const earlier = await payments();

    const second = await runExample('payment');
    expect(second).toMatchObject({ code: 0 });
    expect(second.stdout).toContain(`payment-${earlier + 3}, €300.00 → processed, version 1\n`);
    expect(await payments()).toBe(2 * earlier);
    const shown = 'select count(*)::int as payments from payments.payment';
    const deleted = `select count(*)::int as payments from payment_example.events where type = 'PaymentDeleted'`;
    const [{ payments: kept } = { payments: 0 }] = (await query(databaseUrl(), shown)) as Count[];
    const [{ payments: gone } = { payments: 0 }] = (await query(databaseUrl(), deleted)) as Count[];
    expect(kept + gone).toBe(2 * earlier);
  });

  it('npm run example:event-log imports and projects into the server', async () => {
    const { code, stdout } = await runExample('event-log');
    expect(code).toBe(0);
    expect(stdout).toContain('244 events of 20 cases, all new, in ');
    expect(stdout).toMatch(/Replay of Case-job-003, version 19\n/);
    expect(stdout).toContain('\nThe transition matrix is drawn in ');
    const projected = 'select sum(events)::int as events, count(*)::int as cases from event_log_cases.cases';
    expect(await query(databaseUrl(), projected)).toEqual([{ events: 244, cases: 20 }]);
    const counted =
      'select count(*)::int as events, count(distinct stream_id)::int as streams from event_log_example.events';
    expect(await query(databaseUrl(), counted)).toEqual([{ events: 244, streams: 20 }]);
  });
});
