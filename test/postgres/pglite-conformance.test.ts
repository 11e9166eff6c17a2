import { PGliteEventStore } from 'temporal-event-store/pglite';
import { describeEventStore } from 'temporal-event-store/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

let store: PGliteEventStore;
beforeAll(async () => {
  store = await PGliteEventStore.open();
});
afterAll(() => store.close());

describeEventStore('PGliteEventStore', () => store, {
  capabilities: ['appendCommits', 'appendToStreams', 'snapshots', 'checkpoints', 'statistics'],
  describe,
  it,
  expect,
  // For a machine that runs much else.
  timeout: 30_000,
});
