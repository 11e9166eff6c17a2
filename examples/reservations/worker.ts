import { fileURLToPath } from 'node:url';
import { Worker, type NativeConnection } from '@temporalio/worker';
import type { EventStore, StoreCapabilities } from 'temporal-event-store';
import { EventStorePlugin } from 'temporal-event-store/worker';
import { releaseHolds } from './seats/release-reaction.js';

/** Runs the timers of holds. Decisions need no worker: they run wherever the store is. */
export async function createReservationWorker({
  store,
  ...worker
}: {
  readonly connection: NativeConnection;
  readonly namespace: string;
  readonly taskQueue: string;
  readonly store: EventStore & StoreCapabilities;
}): Promise<Worker> {
  return Worker.create({
    ...worker,
    workflowsPath: fileURLToPath(new URL('./workflows.js', import.meta.url)),
    plugins: [new EventStorePlugin({ store, projections: [releaseHolds] })],
  });
}
