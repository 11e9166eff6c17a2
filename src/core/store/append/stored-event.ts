import type { AppendResult } from '../event-store.js';
import type { PreparedEvent } from './prepare-events.js';

/** An event as a store keeps it: `data` and `metadata` are JSON text. */
export interface StoredEvent extends PreparedEvent {
  readonly id: string;
  readonly streamId: string;
  readonly version: number;
  readonly position: number;
  readonly commitId: string;
  readonly occurredAt: string;
  readonly recordedAt: string;
}

/** The result of an append, by the events of its commit. */
export function resultOfStored(events: readonly StoredEvent[], deduplicated: boolean): AppendResult {
  const { streamId, commitId, version, position } = events.at(-1) as StoredEvent;
  return { streamId, commitId, version, position, eventIds: events.map((event) => event.id), deduplicated };
}
