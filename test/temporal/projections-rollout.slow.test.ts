import type { Client } from '@temporalio/client';
import { ProjectionClient } from 'temporal-event-store/client';
import { MemoryEventStore } from 'temporal-event-store/memory';
import { EventStorePlugin } from 'temporal-event-store/worker';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { deposited, memoryBalances } from '../support/balances.js';
import { connectClient, startWorker, uniqueName, useWorker } from '../support/temporal.js';
import { expectWorkerLog } from '../support/worker-log.js';

// Nothing else, and nothing at ERROR: who doesn't know enough says nothing.
expectWorkerLog(
  /^WARN worker: Workflow failed Error: No worker knows the projection 'balanecs'; known: .*balances/,
);

let client: Client;
beforeAll(async () => {
  client = await connectClient();
});

describe('projections, while a release is rolled out', () => {
  /** Two workers of the release before, which know version 1 only, and one of the new release. */
  async function useRollout() {
    const store = new MemoryEventStore();
    const { projection: first, sink } = memoryBalances();
    const { projection: second } = memoryBalances({ version: 2, sink });
    const fresh = Array.from({ length: 3 }, () => memoryBalances({ name: uniqueName('fresh') }).projection);
    const taskQueue = uniqueName('rolling');
    const stopOld: (() => Promise<void>)[] = [];
    for (let worker = 0; worker < 2; worker++) {
      const plugins = [new EventStorePlugin({ store, projections: [first] })];
      stopOld.push(await startWorker({ taskQueue, plugins }));
    }
    // Knows no projection at all.
    stopOld.push(await startWorker({ taskQueue, plugins: [new EventStorePlugin({ store })] }));
    const projector = new ProjectionClient({ client, taskQueue });
    await projector.start('balances', { heartbeatTimeout: 1_000 });
    const { position } = await store.appendToStream('Account-1', [deposited(1)]);
    await projector.waitFor('balances', position);
    const deploy = (): Promise<void> =>
      useWorker({
        taskQueue,
        plugins: [new EventStorePlugin({ store, projections: [first, second, ...fresh] })],
      });
    return {
      store,
      projector,
      deploy,
      fresh: fresh.map(({ name }) => name),
      endOld: () => Promise.all(stopOld.map((stop) => stop())),
      startNew: () =>
        startWorker({ taskQueue, plugins: [new EventStorePlugin({ store, projections: [second] })] }),
      rebuilt: (previous: number) =>
        expect
          .poll(async () => ({ rebuild: undefined, ...(await projector.status('balances')) }), {
            timeout: 20_000,
          })
          .toMatchObject({ version: 2, previous: { version: previous }, rebuild: undefined }),
    };
  }

  it('new ones are started, the new version is built, and all go on when the old workers have left', async () => {
    const { store, projector, deploy, fresh, endOld, rebuilt } = await useRollout();
    await deploy();
    for (const name of fresh) expect(await projector.start(name)).toMatchObject({ version: 1 });
    const unknown = projector.start('balanecs').catch((error: unknown) => error);
    await projector.rebuild('balances', { version: 2 });
    await rebuilt(1);
    // The newest, also where an old worker is asked first.
    await projector.rebuild('balances');
    await rebuilt(2);
    await projector.pause('balances');
    await projector.resume('balances');

    await endOld();
    const { position } = await store.appendToStream('Account-1', [deposited(1)]);
    for (const name of ['balances', ...fresh]) {
      await projector.waitFor(name, position);
      expect(await projector.status(name)).toMatchObject({ state: 'running', position });
    }
    expect(await unknown).toMatchObject({
      code: 'PROJECTION_UNKNOWN',
      message: expect.stringMatching(
        /No worker knows the projection 'balanecs'; known: .*balances/,
      ) as string,
    });
  }, 150_000);

  it('workers older than what is live refuse to rebuild it, and a version that nobody knows is waited for', async () => {
    const { projector, endOld, startNew, rebuilt } = await useRollout();
    const endNew = await startNew();
    await projector.rebuild('balances', { version: 2 });
    await rebuilt(1);

    // The release is taken back, without a rollback.
    await endNew();
    await projector.rebuild('balances');
    await expect
      .poll(() => projector.status('balances'), { timeout: 50_000, interval: 500 })
      .toMatchObject({
        state: 'waiting',
        version: 2,
        waitsFor: expect.stringMatching(
          /^No worker knows version 2 of the projection 'balances'; known: 1\./,
        ) as string,
        rebuild: {
          phase: 'failed',
          error: expect.stringMatching(
            /No worker knows version 2 .* which is live, or a newer one; known: 1\./,
          ) as string,
        },
      });
    await projector.cancelRebuild('balances');

    onTestFinished(await startNew());
    await endOld();
    await projector.rollback('balances');
    await expect
      .poll(() => projector.status('balances'), { timeout: 50_000, interval: 500 })
      .toMatchObject({
        state: 'waiting',
        version: 1,
        waitsFor: expect.stringMatching(/^No worker knows version 1 .*known: 2\./) as string,
      });
  }, 150_000);
});
