import { Client } from 'pg';
import { PostgresEventStore } from 'temporal-event-store/postgres';
import { describeEventStore, type ConformanceOptions } from 'temporal-event-store/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDatabase, query } from '../support/postgres.js';

let store: PostgresEventStore;
let client: Client;
beforeAll(async () => {
  const { name, url, directUrl } = await createDatabase();
  // What the store says of times is in UTC, wherever its server is.
  await query(directUrl, `alter database ${name} set timezone = 'Asia/Kathmandu'`);
  store = await PostgresEventStore.connect({ connectionString: url });
  await store.migrate();
  client = new Client(url);
  await client.connect();
});
afterAll(async () => {
  await client.end();
  await store.close();
});

const options: ConformanceOptions = {
  capabilities: ['appendCommits', 'appendToStreams', 'snapshots', 'checkpoints', 'statistics'],
  describe,
  it,
  expect,
  // For a machine that runs much else.
  timeout: 30_000,
};

describeEventStore('PostgresEventStore', () => store, options);

// Outside a transaction, each append commits by itself: in one, a condition is only for its first.
describeEventStore('PostgresEventStore.inTransaction', () => store.inTransaction(client), options);
