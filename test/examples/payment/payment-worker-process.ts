import { createPaymentWorker } from '../../../examples/payment/worker.js';
import { connectWorkerProcess } from '../../support/connect-worker-process.js';
import { storeAt } from '../../support/store-over-http.js';
import { portsAt, type PortUrls } from './payment-ports.js';

// The worker of the example, in a process of its own that can be killed.
const { STORE_URL = '', PORTS = '' } = process.env;

const worker = await createPaymentWorker({
  ...(await connectWorkerProcess()),
  store: storeAt(STORE_URL),
  publisher: { publish: async () => undefined },
  ports: portsAt(JSON.parse(PORTS) as PortUrls),
});
await worker.run();
