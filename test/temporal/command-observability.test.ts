import { once } from 'node:events';
import { AggregateClient } from 'temporal-event-store/client';
import { MemoryEventStore } from 'temporal-event-store/memory';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Observations } from '../support/observed-worker.js';
import { serveStore } from '../support/store-over-http.js';
import { connectClient, readyMadeWorkflows, uniqueName } from '../support/temporal.js';
import { Wallet } from '../support/wallet.js';
import { forkWorker } from '../support/worker-process.js';

/** A worker whose metrics and logs can be asked for, once it runs; see test/support/observed-worker.ts. */
async function observeWorker(taskQueue: string, storeUrl: string): Promise<() => Promise<Observations>> {
  const child = await forkWorker(new URL('../support/observed-worker.ts', import.meta.url), {
    taskQueue,
    workflowsPath: readyMadeWorkflows,
    env: { STORE_URL: storeUrl },
  });
  await once(child, 'message');
  return async () => {
    const answered = once(child, 'message');
    child.send('report');
    const [observations] = (await answered) as [Observations];
    return observations;
  };
}

describe('a worker that executes commands', () => {
  it('counts them by the meter of the SDK, and logs them with the ids of their lane', async () => {
    const store = new MemoryEventStore();
    const server = await serveStore(store);
    onTestFinished(() => server.close());
    const taskQueue = uniqueName('observed');
    const observe = await observeWorker(taskQueue, server.url);
    const client = await connectClient();
    const wallets = new AggregateClient({ client, aggregate: Wallet, taskQueue, lanes: 'per-aggregate' });
    const deposit = (commandId: string) => wallets.execute('1', 'deposit', { amount: 5 }, { commandId });

    await Promise.all(['a', 'b', 'c'].map(deposit));
    // Behind the back of the worker, which has the state at hand.
    await store.appendToStream('Wallet-1', [{ type: 'Withdrawn', data: { amount: 10 } }]);
    await deposit('d');
    await deposit('a');
    await wallets.execute('1', 'withdraw', { amount: 1_000 }).catch(() => undefined);
    await wallets.execute('1', 'fail').catch(() => undefined);

    const count = async (name: string, tags: Readonly<Record<string, string>> = {}) => {
      const { metrics } = await observe();
      const updates = metrics.filter(
        (each) =>
          each.name === name &&
          Object.entries({ category: 'Wallet', ...tags }).every(([tag, value]) => each.tags[tag] === value),
      );
      return updates.reduce((sum, { value }) => sum + value, 0);
    };
    await expect.poll(() => count('event_store_commands')).toBe(7);
    expect(await count('event_store_commands', { outcome: 'committed' })).toBe(4);
    expect(await count('event_store_commands', { outcome: 'deduplicated' })).toBe(1);
    expect(await count('event_store_commands', { outcome: 'rejected' })).toBe(1);
    expect(await count('event_store_commands', { outcome: 'failed' })).toBe(1);
    expect(await count('event_store_command_conflicts')).toBeGreaterThanOrEqual(1);
    expect(await count('event_store_state_cache_lookups', { result: 'miss' })).toBeGreaterThanOrEqual(1);
    expect(await count('event_store_state_cache_lookups', { result: 'hit' })).toBeGreaterThanOrEqual(1);

    const { metrics, logs } = await observe();
    const batches = metrics.filter(({ name }) => name === 'event_store_command_batch_size');
    expect(batches.map(({ value }) => value)).toEqual([3, 1, 1, 1, 1]);
    expect(batches[0]).toMatchObject({ kind: 'histogram' });

    const lane = client.workflow.getHandle(`event-store/commands/${taskQueue}/Wallet/1`);
    const { workflowId, runId } = await lane.describe();
    expect(logs).toHaveLength(5);
    for (const { level, message, meta } of logs) {
      expect({ level, message, meta }).toMatchObject({
        level: 'DEBUG',
        message: 'Execute commands',
        meta: {
          category: 'Wallet',
          commands: expect.any(Number) as number,
          workflowId,
          workflowRunId: runId,
        },
      });
    }
  });

  it('says nothing at INFO when somebody looks at a state, or sends a command', async () => {
    const server = await serveStore(new MemoryEventStore());
    onTestFinished(() => server.close());
    const taskQueue = uniqueName('observed');
    const observe = await observeWorker(taskQueue, server.url);
    const client = await connectClient();
    const wallets = new AggregateClient({ client, aggregate: Wallet, taskQueue });
    await wallets.execute('1', 'deposit', { amount: 5 });

    const { loud } = await observe();
    await wallets.state('1');
    await wallets.execute('1', 'deposit', { amount: 5 });
    await wallets.state('1');

    expect((await observe()).loud).toEqual(loud);
    // It would be heard.
    expect(loud).toContain('Worker state changed');
  });
});
