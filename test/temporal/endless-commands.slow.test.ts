import type { ChildProcess } from 'node:child_process';
import type { Client } from '@temporalio/client';
import { findEventStoreError } from 'temporal-event-store';
import { AggregateClient } from 'temporal-event-store/client';
import { MemoryEventStore } from 'temporal-event-store/memory';
import { beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { serveStore } from '../support/store-over-http.js';
import { connectClient, uniqueName, workflowsModule } from '../support/temporal.js';
import { forkWorker } from '../support/worker-process.js';

/** Milliseconds: several workers have to be given up, each after 10 seconds or so. */
const limit = 180_000;
const timeout = limit;

let client: Client;
beforeAll(async () => {
  client = await connectClient();
});

/** Milliseconds without an answer after which a worker is held up for good, and killed, as a liveness probe would. */
const longestSilence = 8_000;

/** Workers in processes of their own; see test/support/spinning-worker.ts. */
async function useWorkers(count: number) {
  const store = new MemoryEventStore();
  const server = await serveStore(store);
  onTestFinished(() => server.close());
  const taskQueue = uniqueName('endless');
  const heardAt = new Map<ChildProcess, number>();
  let lost = 0;
  for (let number = 0; number < count; number++) {
    const worker = await forkWorker(new URL('../support/spinning-worker.ts', import.meta.url), {
      taskQueue,
      workflowsPath: workflowsModule('endless-commands'),
      env: { STORE_URL: server.url },
    });
    worker.on('message', () => heardAt.set(worker, Date.now()));
  }
  await vi.waitUntil(() => heardAt.size === count, limit);
  const silentFor = (milliseconds: number): readonly ChildProcess[] =>
    [...heardAt].filter(([, at]) => Date.now() - at > milliseconds).map(([worker]) => worker);
  const probe = setInterval(() => {
    for (const worker of silentFor(longestSilence)) {
      lost++;
      heardAt.delete(worker);
      worker.kill('SIGKILL');
    }
  }, 500);
  onTestFinished(() => {
    clearInterval(probe);
  });
  return {
    store,
    taskQueue,
    accounts: new AggregateClient({ client, aggregate: { category: 'Account' }, taskQueue }),
    /** No more than so many are held up, and killed in the end. */
    expectLost: (atMost: number) =>
      vi.waitFor(() => {
        expect(lost).toBeGreaterThan(0);
        expect(lost).toBeLessThanOrEqual(atMost);
        expect(silentFor(2_000)).toEqual([]);
      }, 60_000),
  };
}

async function errorOf(call: Promise<unknown>): Promise<unknown> {
  return call.then(
    () => undefined,
    (error: unknown) => findEventStoreError(error) ?? error,
  );
}

describe.each([
  ['never lets anything else run', 'spin', 1],
  ['does so after a while', 'spinLater', 3],
])('a command that %s', (_what, command, workers) => {
  it(
    `is refused and named after ${workers} workers at most; the others go on`,
    async () => {
      const { accounts, expectLost } = await useWorkers(5);
      const endless = accounts.execute('endless', command, undefined, { commandId: 'once', timeout });
      const others = Array.from({ length: 10 }, (_, number) =>
        accounts.execute(`${number}`, 'open', undefined, { timeout }),
      );
      expect(await errorOf(endless)).toMatchObject({
        code: 'COMMAND_OUTCOME_UNKNOWN',
        message: expect.stringMatching(`'${command}' to 'endless'.*'once'`) as unknown,
      });
      for (const other of others) expect(await other).toMatchObject({ version: 1 });
      await expectLost(workers);
    },
    limit,
  );

  it(
    `is refused after ${workers} workers at most where a workflow sent it`,
    async () => {
      const { taskQueue, expectLost } = await useWorkers(4);
      const error = await client.workflow
        .execute('sendOnce', { taskQueue, workflowId: uniqueName('spin'), args: ['endless', command] })
        .then(
          () => undefined,
          (cause: unknown) => findEventStoreError(cause),
        );
      expect(error).toMatchObject({
        code: 'COMMAND_OUTCOME_UNKNOWN',
        message: expect.stringContaining(`'${command}'`) as string,
      });
      await expectLost(workers);
    },
    limit,
  );
});

it(
  'a command that was refused takes no other worker when it is asked for again, and the others to its aggregate go on',
  async () => {
    const { taskQueue, expectLost } = await useWorkers(3);
    const accounts = new AggregateClient({
      client,
      aggregate: { category: 'Account' },
      taskQueue,
      lanes: 'per-aggregate',
    });
    for (let time = 0; time < 3; time++) {
      const error = await errorOf(
        accounts.execute('endless', 'spin', undefined, { commandId: 'once', timeout }),
      );
      expect(error).toMatchObject({ code: 'COMMAND_OUTCOME_UNKNOWN' });
    }
    expect(await accounts.execute('endless', 'open', undefined, { timeout })).toMatchObject({ version: 1 });
    await expectLost(1);
  },
  limit,
);

describe('an aggregate whose events are never through', () => {
  it(
    'has all its commands refused, after 3 workers at most, and those of others go on',
    async () => {
      const { store, accounts, expectLost } = await useWorkers(4);
      await store.appendToStream('Account-cursed', [{ type: 'Cursed', data: {} }]);
      const open = (id: string): Promise<unknown> =>
        errorOf(accounts.execute(id, 'open', undefined, { timeout }));
      const errors = await Promise.all(['cursed', 'cursed', 'cursed', 'healthy'].map(open));
      expect(errors.map((error) => (error as { code?: string } | undefined)?.code)).toEqual([
        'COMMAND_OUTCOME_UNKNOWN',
        'COMMAND_OUTCOME_UNKNOWN',
        'COMMAND_OUTCOME_UNKNOWN',
        undefined,
      ]);
      await expectLost(3);
      expect(await open('cursed')).toMatchObject({ code: 'COMMAND_OUTCOME_UNKNOWN' });
      await expectLost(3);
    },
    limit,
  );

  it(
    'has its replay refused after 3 workers at most',
    async () => {
      const { store, accounts, expectLost } = await useWorkers(3);
      await store.appendToStream('Account-cursed', [{ type: 'Cursed', data: {} }]);
      expect(await errorOf(accounts.state('cursed', { timeout }))).toMatchObject({
        code: 'COMMAND_FAILED',
        message: expect.stringContaining("'Account-cursed'") as string,
      });
      await expectLost(3);
    },
    limit,
  );
});
