import { PostgresEventStore } from 'temporal-event-store/postgres';
import { describeEventStore } from 'temporal-event-store/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDatabase } from '../support/postgres.js';

let store: PostgresEventStore;
beforeAll(async () => {
  const { url } = await createDatabase();
  store = await PostgresEventStore.connect({ connectionString: url });
  await store.migrate();
});
afterAll(() => store.close());

describeEventStore('PostgresEventStore', () => store, {
  capabilities: ['appendCommits', 'snapshots', 'checkpoints', 'statistics'],
  describe,
  it,
  expect,
});
