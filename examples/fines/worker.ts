import { fileURLToPath } from 'node:url';
import { Worker, type NativeConnection } from '@temporalio/worker';
import type { StoreCapabilities } from 'temporal-event-store';
import { EventStorePlugin } from 'temporal-event-store/worker';
import { createFineActivities, type FineStore } from './activities.js';
import { FineAggregate } from './fine-aggregate.js';

/** Imports logs and adds up; and by the plugin, takes commands for fines and replays them. */
export async function createFineWorker(options: {
  readonly connection: NativeConnection;
  readonly namespace: string;
  readonly taskQueue: string;
  readonly store: FineStore & Partial<StoreCapabilities>;
}): Promise<Worker> {
  const { store, ...worker } = options;
  return Worker.create({
    ...worker,
    workflowsPath: fileURLToPath(new URL('./workflows.js', import.meta.url)),
    activities: createFineActivities({ store }),
    plugins: [new EventStorePlugin({ store, aggregates: [FineAggregate] })],
    // The progress bar lives on heartbeats, which are otherwise sent at four fifths of their timeout.
    maxHeartbeatThrottleInterval: '500 milliseconds',
    // After this process was killed, the server waits that long for it before it asks its successor.
    stickyQueueScheduleToStartTimeout: '1 second',
  });
}
