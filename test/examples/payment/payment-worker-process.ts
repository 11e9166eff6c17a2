import { NativeConnection } from '@temporalio/worker';
import { createPaymentWorker } from '../../../examples/payment/worker.js';
import { storeAt } from '../../support/store-over-http.js';
import { portsAt, type PortUrls } from './payment-ports.js';

// The worker of the example, in a process of its own that can be killed.
const { ADDRESS = '', NAMESPACE = '', TASK_QUEUE = '', STORE_URL = '', PORTS = '' } = process.env;

const worker = await createPaymentWorker({
  connection: await NativeConnection.connect({ address: ADDRESS }),
  namespace: NAMESPACE,
  taskQueue: TASK_QUEUE,
  store: storeAt(STORE_URL),
  publisher: { publish: async () => undefined },
  ports: portsAt(JSON.parse(PORTS) as PortUrls),
});
await worker.run();
