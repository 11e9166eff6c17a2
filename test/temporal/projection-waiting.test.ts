import type { Client } from '@temporalio/client';
import { StoreUnavailableError, type EventStore } from 'temporal-event-store';
import { ProjectionClient } from 'temporal-event-store/client';
import { MemoryEventStore } from 'temporal-event-store/memory';
import { EventStorePlugin } from 'temporal-event-store/worker';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { deposited, memoryBalances, type BalanceEvent } from '../support/balances.js';
import { gate } from '../support/gated-store.js';
import { connectClient, startWorker, uniqueName, useWorker } from '../support/temporal.js';
import { expectWorkerLog } from '../support/worker-log.js';

expectWorkerLog(/ failed \w+: The database can't be reached/);
// Of one that was hung.

let client: Client;
beforeAll(async () => {
  client = await connectClient();
});

async function deposit(store: EventStore, amount: number): Promise<number> {
  const { position } = await store.appendToStream<BalanceEvent>('Account-1', [deposited(amount)]);
  return position;
}

/** A projection whose database can go down, by an error or by silence. */
async function useFragile({ timeout = 5_000 }: { readonly timeout?: number } = {}) {
  const store = new MemoryEventStore();
  const { projection, sink } = memoryBalances();
  const whole = { open: sink.open.bind(sink), commit: sink.commit.bind(sink), fence: sink.fence.bind(sink) };
  const taskQueue = uniqueName('fragile');
  await useWorker({ taskQueue, plugins: [new EventStorePlugin({ store, projections: [projection] })] });
  const fail = (): Promise<never> =>
    Promise.reject(new StoreUnavailableError("The database can't be reached."));
  let restored = gate();
  const hang = async (): Promise<never> => {
    await restored.opened;
    return fail();
  };
  const restore = (): void => {
    Object.assign(sink, whole);
    restored.open();
    restored = gate();
  };
  onTestFinished(restore);
  return {
    store,
    taskQueue,
    restore,
    projector: new ProjectionClient({ client, taskQueue, timeout }),
    break(how: 'fails' | 'hangs'): void {
      const broken = how === 'fails' ? fail : hang;
      Object.assign(sink, { open: broken, commit: broken, fence: broken });
    },
    balance: () => sink.model('balances')?.get('Account-1')?.balance,
  };
}

/** @returns what came of it, in how many milliseconds */
async function timed<T>(call: () => Promise<T>): Promise<{ outcome: unknown; duration: number }> {
  const began = performance.now();
  const outcome: unknown = await call().catch((error: unknown) => error);
  return { outcome, duration: performance.now() - began };
}

describe('a projection whose store is down', () => {
  it.each(['fails', 'hangs'] as const)(
    'is waiting, and says in time what was last known of it, when it %s',
    async (how) => {
      // On a busy machine the answer has come seconds after the look had ended.
      const fragile = await useFragile({ timeout: 15_000 });
      const { projector, store } = fragile;
      await projector.start('balances');
      await projector.waitFor('balances', await deposit(store, 1));
      await projector.status('balances');

      fragile.break(how);
      const { outcome, duration } = await timed(() => projector.status('balances'));
      expect(outcome).toMatchObject({
        state: 'waiting',
        version: 1,
        position: 1,
        waitsFor: expect.stringMatching(
          how === 'fails' ? /can't be reached/ : /No answer of its store/,
        ) as string,
      });
      expect(duration).toBeLessThan(15_000);
      const waiting = timed(() => projector.waitFor('balances', 2, { timeout: 500 }));
      expect((await waiting).outcome).toMatchObject({
        code: 'PROJECTION_BEHIND',
        message: expect.stringMatching(
          how === 'fails' ? /can't be reached/ : /gives no answer|No answer of its store/,
        ) as string,
      });

      fragile.restore();
      await projector.waitFor('balances', await deposit(store, 2));
      expect(await projector.status('balances')).toMatchObject({ state: 'running', position: 2 });
    },
    60_000,
  );

  it('is started and waits for it', async () => {
    const fragile = await useFragile();
    const { projector, store } = fragile;
    fragile.break('fails');
    const { outcome, duration } = await timed(() => projector.start('balances'));
    // On a busy machine it answers before the worker has tried.
    expect(outcome).toMatchObject({ state: expect.stringMatching(/^(running|waiting)$/) as string });
    expect(duration).toBeLessThan(5_000);
    await expect
      .poll(() => projector.status('balances'), { timeout: 10_000 })
      .toMatchObject({ state: 'waiting', version: 0, waitsFor: "The database can't be reached." });
    await expect(projector.retry('balances', 'x')).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
      message: expect.stringContaining('could not be opened yet') as string,
    });

    fragile.restore();
    await projector.waitFor('balances', await deposit(store, 1), { timeout: 20_000 });
    expect(await projector.status('balances')).toMatchObject({ state: 'running', position: 1 });
  }, 30_000);

  it.each(['fails', 'hangs'] as const)(
    'is paused, with an error in time that says what is not sure, when it %s',
    async (how) => {
      const fragile = await useFragile();
      const { projector, store } = fragile;
      await projector.start('balances');
      await projector.waitFor('balances', await deposit(store, 1));

      fragile.break(how);
      const { outcome, duration } = await timed(() => projector.pause('balances'));
      expect(outcome).toMatchObject({
        code: 'STORE_UNAVAILABLE',
        message: expect.stringMatching(
          /is paused, and begins nothing more.* Pause it again to be sure/,
        ) as string,
      });
      expect(duration).toBeLessThan(5_000);

      fragile.restore();
      expect(await projector.pause('balances')).toMatchObject({ state: 'paused' });
      await deposit(store, 2);
      expect(await projector.status('balances')).toMatchObject({ state: 'paused', position: 1 });
      await projector.resume('balances');
      await projector.waitFor('balances', 2);
      expect(fragile.balance()).toBe(3);
    },
    20_000,
  );

  it('is stopped, and started again when it is back', async () => {
    const fragile = await useFragile({ timeout: 6_000 });
    const { projector, store, taskQueue } = fragile;
    await projector.start('balances');
    await projector.waitFor('balances', await deposit(store, 1));
    await projector.status('balances');

    fragile.break('fails');
    // What waits for the store doesn't keep it from ending.
    const rollback = projector.rollback('balances').catch((error: unknown) => error);
    const decision = projector.retry('balances', 'x').catch((error: unknown) => error);
    const { outcome } = await timed(() => projector.status('balances'));
    expect(outcome).toMatchObject({ state: 'waiting' });
    await expect(projector.stop('balances')).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
      message: expect.stringContaining('is stopped, and begins nothing more') as string,
    });
    const handle = client.workflow.getHandle(`event-store/projection/${taskQueue}/balances`);
    await expect.poll(async () => (await handle.describe()).status.name).toBe('COMPLETED');
    expect(await projector.status('balances')).toMatchObject({ state: 'stopped', position: 1 });
    const stopped = {
      code: 'PROJECTION_NOT_RUNNING',
      message: expect.stringContaining('was stopped') as string,
    };
    expect(await Promise.all([rollback, decision])).toMatchObject([stopped, stopped]);

    fragile.restore();
    await projector.start('balances');
    await projector.waitFor('balances', await deposit(store, 2));
    expect(fragile.balance()).toBe(3);
  });
});

describe('the status of a projection', () => {
  it('is an error in time that names the task queue when there is no worker, or its signal aborts', async () => {
    const taskQueue = uniqueName('left');
    const plugins = [
      new EventStorePlugin({ store: new MemoryEventStore(), projections: [memoryBalances().projection] }),
    ];
    const stopWorker = await startWorker({ taskQueue, plugins });
    const projector = new ProjectionClient({ client, taskQueue });
    await projector.start('balances');
    await stopWorker();

    const { outcome, duration } = await timed(() => projector.status('balances', { timeout: 1_000 }));
    expect(outcome).toMatchObject({
      code: 'STORE_UNAVAILABLE',
      message: expect.stringContaining(taskQueue) as string,
    });
    expect(duration).toBeLessThan(1_300);
    const abort = new AbortController();
    const status = projector.status('balances', { signal: abort.signal });
    abort.abort(new Error('enough'));
    await expect(status).rejects.toThrow('enough');
    await expect(projector.status('balances', { timeout: 0 })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
  });
});

describe('to wait for a projection', () => {
  /** Billable actions of the workflows of those who waited on a task queue. */
  async function actionsOf(taskQueue: string, workflows: number): Promise<number[]> {
    const query = `WorkflowType = 'eventStoreAwaitProjection' and TaskQueue = '${taskQueue}'`;
    const list = async (): Promise<string[]> => {
      const ids: string[] = [];
      for await (const { workflowId } of client.workflow.list({ query })) ids.push(workflowId);
      return ids;
    };
    // The server's visibility is late.
    await expect
      .poll(async () => (await list()).length, { timeout: 10_000 })
      .toBeGreaterThanOrEqual(workflows);
    return Promise.all(
      (await list()).map(async (workflowId) => {
        const { events } = await client.workflow.getHandle(workflowId).fetchHistory();
        const has = (attributes: string): number =>
          (events ?? []).filter((event) => (event as never)[attributes] !== null).length;
        // Local activities of a workflow task count as one.
        return (
          1 +
          has('activityTaskStartedEventAttributes') +
          has('markerRecordedEventAttributes') +
          has('timerStartedEventAttributes')
        );
      }),
    );
  }

  it('costs no more than four actions, and a look two', async () => {
    const { projector, store, taskQueue } = await useFragile({ timeout: 20_000 });
    await projector.start('balances');
    await projector.waitFor('balances', await deposit(store, 1));
    expect(await actionsOf(taskQueue, 1)).toEqual([2]);

    await projector.pause('balances');
    const waiting = projector.waitFor('balances', await deposit(store, 2), { timeout: 25_000 });
    await expect(projector.waitFor('balances', 2, { timeout: 500 })).rejects.toMatchObject({
      code: 'PROJECTION_BEHIND',
      reachedPosition: 1,
    });
    await projector.resume('balances');
    await waiting;
    for (const actions of await actionsOf(taskQueue, 3)) expect(actions).toBeLessThanOrEqual(4);
  }, 20_000);

  it('is shared by those who do so in one process', async () => {
    const { projector, store, taskQueue } = await useFragile({ timeout: 20_000 });
    await projector.start('balances');
    await projector.pause('balances');
    const positions = [];
    for (let amount = 1; amount <= 200; amount++) positions.push(await deposit(store, amount));
    const waiting = positions.map((position) => projector.waitFor('balances', position));
    await projector.resume('balances');
    await Promise.all(waiting);
    const actions = await actionsOf(taskQueue, 1);
    expect(actions.reduce((sum, each) => sum + each, 0)).toBeLessThanOrEqual(8);
  }, 20_000);

  it('for what comes later holds up nobody who waits for less', async () => {
    const { projector, store } = await useFragile({ timeout: 20_000 });
    await projector.start('balances');
    const later = projector.waitFor('balances', 1_000, { timeout: 3_000 }).catch((error: unknown) => error);
    await projector.waitFor('balances', await deposit(store, 1), { timeout: 2_000 });
    const together = [1, 2, 900].map((position) =>
      projector.waitFor('balances', position, { timeout: 2_000 }).then(
        () => 'there',
        () => 'behind',
      ),
    );
    await deposit(store, 2);
    expect(await Promise.all(together)).toEqual(['there', 'there', 'behind']);
    expect(await later).toMatchObject({ code: 'PROJECTION_BEHIND', reachedPosition: 2 });
  });
});
