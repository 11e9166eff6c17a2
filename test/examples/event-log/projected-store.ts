import type { EventStore, StoreCapabilities } from 'temporal-event-store';
import { ProjectionClient } from 'temporal-event-store/client';
import { EventStorePlugin } from 'temporal-event-store/worker';
import { tagOf } from '../../../examples/event-log/case-event.js';
import { readCaseFigures, type CaseFigures } from '../../../examples/event-log/case-figures.js';
import { defineCaseProjection } from '../../../examples/event-log/case-projection.js';
import { importLog } from '../../../examples/event-log/import-log.js';
import { readModelsBeside } from '../../../examples/read-model-database.js';
import { usePGliteStore } from '../../support/pglite.js';
import { connectClient, uniqueName, useWorker } from '../../support/temporal.js';
import { useImportWorker } from './import-worker.js';
import { sourceOf } from './logs.js';

export interface ProjectedStore {
  readonly store: EventStore & StoreCapabilities;
  readonly projections: ProjectionClient;
  readonly load: (file: string) => ReturnType<typeof importLog>;
  readonly figures: (file: string) => Promise<CaseFigures>;
}

/** An embedded store until the test finishes, with workers that import and project. */
export async function useProjectedStore(): Promise<ProjectedStore> {
  const client = await connectClient();
  const store = await usePGliteStore();
  const readModels = readModelsBeside(store);
  const imports = await useImportWorker(store);
  const taskQueue = uniqueName('event-log-cases');
  const projection = defineCaseProjection(readModels.sink);
  await useWorker({
    taskQueue,
    plugins: [new EventStorePlugin({ store, projections: [projection] })],
  });
  return {
    store,
    projections: new ProjectionClient({ client, taskQueue }),
    load: async (file) => importLog(client, { log: await sourceOf(file), taskQueue: imports }),
    figures: async (file) => readCaseFigures(readModels.client, tagOf((await sourceOf(file)).fingerprint)),
  };
}
