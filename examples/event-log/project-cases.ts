import { setTimeout as delay } from 'node:timers/promises';
import type { EventStatistics } from 'temporal-event-store';
import type { ProjectionClient } from 'temporal-event-store/client';
import { caseProjection } from './case-projection.js';
import type { OnProgress } from './watch-progress.js';

/**
 * Starts the projection where it left off, and waits until it holds what the store has now. It goes on by itself with
 * what is imported later, on whatever worker has the store.
 *
 * @throws ProjectionBehindError when it has stopped at an event · what the signal says
 */
export async function projectCases(
  projections: ProjectionClient,
  store: EventStatistics,
  options: { readonly onProgress?: OnProgress; readonly signal?: AbortSignal } = {},
): Promise<void> {
  const { onProgress, signal } = options;
  const { total } = await store.statistics();
  const { position, lag } = await projections.start(caseProjection);
  const watching = new AbortController();
  const watched = onProgress && watch(projections, { onProgress, total }, watching.signal);
  try {
    await projections.waitFor(caseProjection, position + lag.events, {
      timeout: oneDay,
      ...(signal !== undefined && { signal }),
    });
  } finally {
    watching.abort();
    await watched;
  }
  onProgress?.({ done: total, total });
}

const oneDay = 24 * 60 * 60 * 1_000;

async function watch(
  projections: ProjectionClient,
  { onProgress, total }: { readonly onProgress: OnProgress; readonly total: number },
  signal: AbortSignal,
): Promise<void> {
  try {
    while (!signal.aborted) {
      const { applied } = await projections.status(caseProjection);
      onProgress({ done: applied, total });
      await delay(500, undefined, { signal });
    }
  } catch {
    // The projection does not depend on who watches it.
  }
}
