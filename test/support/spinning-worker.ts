import { Worker } from '@temporalio/worker';
import { AggregateRoot, type DomainEvent } from 'temporal-event-store';
import { EventStorePlugin } from 'temporal-event-store/worker';
import { connectWorkerProcess } from './connect-worker-process.js';
import { storeAt } from './store-over-http.js';

// A worker in a process of its own, with an aggregate that can hold it up for good. While it isn't, it says that it is alive.
const { STORE_URL = '' } = process.env;

function spin(): never {
  // As an endless loop does, without its heat.
  for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
}

class Account extends AggregateRoot<DomainEvent<'Opened' | 'Cursed', object>> {
  static readonly category = 'Account';
  static readonly commands = { open: true, spin: true, spinLater: true };
  open(): void {
    this.raise({ type: 'Opened', data: {} });
  }
  spin(): void {
    spin();
  }
  async spinLater(): Promise<void> {
    // The batch has left it by then.
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    spin();
  }
  protected apply({ type }: { readonly type: string }): void {
    if (type === 'Cursed') spin();
  }
}

const worker = await Worker.create({
  ...(await connectWorkerProcess()),
  plugins: [
    new EventStorePlugin({
      store: storeAt(STORE_URL),
      aggregates: [Account],
      commandLanes: { batchTimeout: 3_000 },
    }),
  ],
});
const sayAlive = (): unknown => process.send?.('alive');
sayAlive();
setInterval(sayAlive, 500);
await worker.run();
