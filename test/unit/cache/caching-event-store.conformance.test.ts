import { cachingEventStore } from 'temporal-event-store/cache';
import { MemoryEventStore } from 'temporal-event-store/memory';
import { describeEventStore } from 'temporal-event-store/testing';
import { describe, expect, it } from 'vitest';

const capabilities = ['appendCommits', 'appendToStreams', 'snapshots', 'checkpoints', 'statistics'] as const;
describeEventStore('cachingEventStore', () => cachingEventStore(new MemoryEventStore()), {
  capabilities,
  describe,
  it,
  expect,
});
