import { PostgresEventStore } from 'temporal-event-store/postgres';
import { describeEventStore } from 'temporal-event-store/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDatabase, query } from '../support/postgres.js';

let store: PostgresEventStore;
beforeAll(async () => {
  const { name, url, directUrl } = await createDatabase();
  // What the store says of times is in UTC, wherever its server is.
  await query(directUrl, `alter database ${name} set timezone = 'Asia/Kathmandu'`);
  store = await PostgresEventStore.connect({ connectionString: url });
  await store.migrate();
});
afterAll(() => store.close());

describeEventStore('PostgresEventStore', () => store, {
  capabilities: ['appendCommits', 'snapshots', 'checkpoints', 'statistics'],
  describe,
  it,
  expect,
  // For a machine that runs much else.
  timeout: 30_000,
});
