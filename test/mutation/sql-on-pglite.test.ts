import type { PGliteEventStore } from 'temporal-event-store/pglite';
import { describeEventStore } from 'temporal-event-store/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openPGliteStore } from '../support/pglite.js';

// What mutation testing has of a database: a server would take longer, and this one runs in the process.
let store: PGliteEventStore;
beforeAll(async () => {
  store = await openPGliteStore();
}, 60_000);
afterAll(() => store.close());

describeEventStore('SQL', () => store, {
  capabilities: ['appendCommits', 'snapshots', 'checkpoints', 'statistics'],
  describe,
  it,
  expect,
});
