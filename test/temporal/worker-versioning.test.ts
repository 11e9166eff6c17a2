import type { Client } from '@temporalio/client';
import type { WorkerOptions } from '@temporalio/worker';
import { AggregateClient, ProjectionClient } from 'temporal-event-store/client';
import { MemoryEventStore } from 'temporal-event-store/memory';
import { EventStorePlugin } from 'temporal-event-store/worker';
import { beforeAll, describe, expect, it } from 'vitest';
import { deposited, memoryBalances } from '../support/balances.js';
import { connectClient, startWorker, uniqueName } from '../support/temporal.js';
import { Wallet } from '../support/wallet.js';

let client: Client;
beforeAll(async () => {
  client = await connectClient();
});

type AggregateModel = 'PINNED' | 'AUTO_UPGRADE';

/** A projection and a lane whose workers come and go; of each, the last one is told to end when the next is there. */
function useDeployment() {
  const taskQueue = uniqueName('versioned');
  const deploymentName = uniqueName('deployment');
  const store = new MemoryEventStore();
  const { projection: first, sink } = memoryBalances();
  const { projection: second } = memoryBalances({ version: 2, sink });
  const projections = new ProjectionClient({ client, taskQueue });
  const wallets = new AggregateClient({ client, aggregate: Wallet, taskQueue, lanes: 'per-aggregate' });
  let stop = async (): Promise<void> => undefined;
  let hasVersions = false;
  /** @param buildId none for workers without a version */
  const makeCurrent = (buildId: string): Promise<void> =>
    expect
      .poll(
        () =>
          client.workflowService
            .setWorkerDeploymentCurrentVersion({
              namespace: client.options.namespace,
              deploymentName,
              buildId,
              ignoreMissingTaskQueues: true,
              identity: 'a test',
            })
            .then(
              () => 'done',
              (error: unknown) => String(error),
            ),
        { timeout: 20_000, interval: 200 },
      )
      .toBe('done');
  return {
    projections,
    /** Deploys workers, and ends those before. @param whileBoth what happens while both are there */
    async deploy(
      {
        buildId,
        behaviour,
        knows,
      }: { buildId?: string; behaviour?: AggregateModel; knows: 'first' | 'both' },
      whileBoth: () => Promise<void> = async () => undefined,
    ): Promise<void> {
      const plugin = new EventStorePlugin({
        store,
        projections: knows === 'first' ? [first] : [first, second],
        aggregates: [Wallet],
      });
      const version: Partial<WorkerOptions> =
        buildId === undefined
          ? {}
          : {
              workerDeploymentOptions: {
                useWorkerVersioning: true,
                version: { deploymentName, buildId },
                ...(behaviour !== undefined && { defaultVersioningBehavior: behaviour }),
              },
            };
      const stopOld = stop;
      stop = await startWorker({ taskQueue, plugins: [plugin], ...version });
      hasVersions ||= buildId !== undefined;
      if (hasVersions) await makeCurrent(buildId ?? '');
      await whileBoth();
      await stopOld();
    },
    /** Whether both still do what they are for. */
    async works(): Promise<void> {
      await wallets.execute('1', 'deposit', { amount: 1 }, { timeout: 20_000 });
      const { position } = await store.appendToStream('Account-1', [deposited(1)]);
      await projections.waitFor('balances', position, { timeout: 20_000 });
    },
    stop: () => stop(),
  };
}

describe('with worker versioning', () => {
  it.each<AggregateModel>(['PINNED', 'AUTO_UPGRADE'])(
    'a projection and a lane move to the new version, where %s is the default',
    async (behaviour) => {
      const { projections, deploy, works, stop } = useDeployment();
      await deploy({ buildId: '1', behaviour, knows: 'first' });
      await projections.start('balances', { heartbeatTimeout: 1_000 });
      await works();

      await deploy({ buildId: '2', behaviour, knows: 'both' }, async () => {
        await projections.rebuild('balances');
        await expect
          .poll(() => projections.status('balances'), { timeout: 20_000 })
          .toMatchObject({ state: 'running', version: 2, previous: { version: 1 } });
      });
      await works();
      await stop();
    },
    60_000,
  );

  it('they also come from workers without a version, once paused and resumed, and go back, stopped meanwhile', async () => {
    const { projections, deploy, works, stop } = useDeployment();
    await deploy({ knows: 'first' });
    await projections.start('balances', { heartbeatTimeout: 1_000 });
    await works();
    // So that its shards begin anew, on a worker with a version.
    await deploy({ buildId: '1', behaviour: 'PINNED', knows: 'first' }, async () => {
      await projections.pause('balances');
      await projections.resume('balances');
    });
    await works();
    await deploy({ buildId: '2', behaviour: 'PINNED', knows: 'first' });
    await works();
    await projections.stop('balances');
    await deploy({ knows: 'both' });
    await projections.start('balances');
    await works();
    await stop();
  }, 60_000);
});
