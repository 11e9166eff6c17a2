import { fileURLToPath } from 'node:url';
import { Worker, type NativeConnection } from '@temporalio/worker';
import type { EventStore, StoreCapabilities } from 'temporal-event-store';
import type { ActivityLogger, EventPublisher } from 'temporal-event-store/activities';
import { EventStorePlugin } from 'temporal-event-store/worker';
import type { ReadModelDatabase } from '../read-model-database.js';
import { createPaymentActivities } from './commands/payment-activities.js';
import { PaymentAggregate } from './domain/payment-aggregate.js';
import { paymentPublisher } from './events/payment-publisher.js';
import { createProcessActivities, type ProcessPorts } from './process/process-activities.js';
import { createReportActivities } from './queries/report-activities.js';
import { paymentProjections } from './read-models/payment-reader.js';
import { createPaymentSearchActivities } from './repository/payment-search-activities.js';

export interface PaymentWorkerOptions {
  readonly connection: NativeConnection;
  readonly namespace: string;
  readonly taskQueue: string;
  readonly store: EventStore & Partial<StoreCapabilities>;
  /** For a worker that also runs the projections, and searches in what they make. */
  readonly readModels?: ReadModelDatabase;
  /** Gets every event by `paymentPublisher`, once that is started, where the store has checkpoints; and from workflows that publish before they go on, what they appended. */
  readonly publisher: EventPublisher;
  /** What `paymentWorkflow` needs; a worker without it does all the rest. */
  readonly ports?: ProcessPorts;
  /** Where the activities write. Default: the worker's own log. */
  readonly logger?: ActivityLogger;
}

/** The worker of the payment service: its own workflows, and the event store's activities by the plugin. */
export async function createPaymentWorker({
  store,
  readModels,
  publisher,
  ports,
  logger,
  ...worker
}: PaymentWorkerOptions): Promise<Worker> {
  const logging = logger !== undefined && { logger };
  const shared = { store, ...logging };
  return Worker.create({
    ...worker,
    workflowsPath: fileURLToPath(new URL('./workflows.js', import.meta.url)),
    activities: {
      ...createPaymentActivities({ ...shared, publisher }),
      ...createReportActivities({ store }),
      ...(ports !== undefined && createProcessActivities({ ...ports, ...logging })),
      ...(readModels && createPaymentSearchActivities({ store, readModels })),
    },
    plugins: [
      new EventStorePlugin({
        ...shared,
        appendPublisher: publisher,
        aggregates: [PaymentAggregate],
        projections: [
          // It keeps its place in the store's checkpoints.
          ...(store.checkpoints === undefined ? [] : [paymentPublisher(publisher)]),
          ...(readModels ? paymentProjections(readModels) : []),
        ],
      }),
    ],
  });
}
