import { existsSync } from 'node:fs';
import { MemoryEventStore } from 'temporal-event-store/memory';
import { EventStorePlugin } from 'temporal-event-store/worker';

const plugin = new EventStorePlugin({ store: new MemoryEventStore() });
const { workflowsPath } = plugin.configureWorker({ taskQueue: 'any' });
if (!existsSync(workflowsPath)) throw new Error(`There are no workflows at ${workflowsPath}`);
console.log('served');
