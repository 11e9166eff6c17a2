import type { EventMetadata } from '../events/event.js';
import { streamsKey } from '../store/append/multi-append.js';
import type { AppendResult, EventStore } from '../store/event-store.js';

/** The metadata of a stored commit, as its last event has it. */
export async function metadataOf(
  store: EventStore,
  { streamId, version }: AppendResult,
): Promise<EventMetadata> {
  const slice = await store.readStream(streamId, { fromVersion: version, limit: 1 });
  return slice.events[0]?.metadata ?? {};
}

/**
 * All parts of a stored commit, the home stream first.
 *
 * @param commit its part in the home stream
 * @param metadata of its events: it lists the streams, if there are several
 */
export async function partsOf(
  store: EventStore,
  commit: AppendResult,
  metadata: EventMetadata,
): Promise<readonly AppendResult[]> {
  const streams = metadata[streamsKey];
  if (!Array.isArray(streams)) return [commit];
  const [, ...others] = streams as readonly string[];
  const found = await Promise.all(others.map((streamId) => store.findCommit(streamId, commit.commitId)));
  return [commit, ...found.filter((part) => part !== undefined)];
}

/** The position of the last event of a commit. */
export function lastPosition(parts: readonly AppendResult[]): number {
  return Math.max(...parts.map(({ position }) => position));
}
