import { Client, Connection } from '@temporalio/client';
import { msToTs } from '@temporalio/common/lib/time.js';
import { TemporalEventStore } from 'temporal-event-store/client';
import { MemoryEventStore } from 'temporal-event-store/memory';
import { EventStorePlugin } from 'temporal-event-store/worker';
import { beforeAll, describe, expect, it } from 'vitest';
import { Account } from '../support/account.js';
import { gate, withAfterAppend, type AfterAppend } from '../support/gated-store.js';
import { connectClient, uniqueName, useWorker } from '../support/temporal.js';
import { expectWorkerLog } from '../support/worker-log.js';

expectWorkerLog(/ failed \w+: The commit 'c' of stream 'Log-1' holds other events/);

let client: Client;
beforeAll(async () => {
  client = await connectClient();
});

const happened = { type: 'Happened', data: {} };

async function serve(afterAppend: AfterAppend = () => undefined) {
  const memory = new MemoryEventStore();
  const taskQueue = uniqueName('client');
  await useWorker({
    taskQueue,
    plugins: [new EventStorePlugin({ store: withAfterAppend(memory, afterAppend), aggregates: [Account] })],
  });
  return { memory, taskQueue, store: new TemporalEventStore({ client, taskQueue }) };
}

describe('TemporalEventStore', () => {
  it('lets the same append join the one that is under way', async () => {
    const stored = gate();
    const reply = gate();
    let calls = 0;
    const { store, memory } = await serve((call) => {
      calls = call;
      stored.open();
      return reply.opened;
    });
    const first = store.appendToStream('Log-1', [happened], { commitId: 'c' });
    await stored.opened;
    const second = store.appendToStream('Log-1', [happened], { commitId: 'c' });
    // Another append with the same commit id does not join: it is refused by the store.
    const other = store.appendToStream('Log-1', [{ ...happened, data: { a: 1 } }], { commitId: 'c' });
    await expect(other).rejects.toMatchObject({ code: 'COMMIT_MISMATCH' });
    reply.open();

    const result = await first;
    expect(result.deduplicated).toBe(false);
    expect(await second).toEqual({ ...result, deduplicated: true });
    expect(calls).toBe(1);
    expect((await memory.readStream('Log-1')).version).toBe(1);
  });

  it('names the workflow of an append after its stream and commit, or hashes long names', async () => {
    const { store, taskQueue } = await serve();
    await store.appendToStream('Log-1', [happened], { commitId: 'c' });
    await store.appendToStream(`Log-${'x'.repeat(900)}`, [happened], { commitId: 'y'.repeat(900) });
    const ids = async () => {
      const found: string[] = [];
      const query = `TaskQueue = "${taskQueue}" AND WorkflowType = "eventStoreAppend"`;
      for await (const { workflowId } of client.workflow.list({ query })) found.push(workflowId);
      return found.sort();
    };
    await expect.poll(async () => (await ids()).length).toBe(2);

    const [long, short] = (await ids()).sort((a, b) => a.length - b.length);
    expect(long).toMatch(/^event-store\/append\/[\da-f-]{36}$/);
    expect(short).toMatch(new RegExp(`^event-store/append/${taskQueue}/Log-1/c/[\\da-f-]{36}$`));
  });

  it('says of an append that nobody waits for any more that it may go through, as it does', async () => {
    const stored = gate();
    const reply = gate();
    const { store, memory } = await serve(() => {
      stored.open();
      return reply.opened;
    });
    const controller = new AbortController();
    const append = store.appendToStream('Log-1', [happened], { commitId: 'c', signal: controller.signal });
    await stored.opened;
    controller.abort(new Error('no time'));

    await expect(append).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
      commitId: 'c',
      message: expect.stringMatching(/no time.*may go through yet.*'c'/) as unknown,
    });
    reply.open();
    const again = await store.appendToStream('Log-1', [happened], { commitId: 'c' });
    expect(again.version).toBe(1);
    expect((await memory.readStream('Log-1')).version).toBe(1);
  });

  it('replays an aggregate', async () => {
    const { store, memory } = await serve();
    await memory.appendToStream('Account-1', [{ type: 'Deposited', data: { amount: 5 } }]);
    expect(await store.replay({ aggregate: 'Account', id: '1' })).toEqual({
      version: 1,
      state: { owner: '', balance: 5 },
    });
    await expect(store.replay({ aggregate: 'Account', id: '1', toVersion: -1 })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
  });

  it('says that it is unavailable, with the commit id to try again with, when Temporal is away', async () => {
    const connection = Connection.lazy({ address: '127.0.0.1:1', connectTimeout: '200 milliseconds' });
    const away = new Client({ connection });
    const store = new TemporalEventStore({ client: away, taskQueue: 'any', timeout: 1_000 });
    const error: unknown = await store.appendToStream('Log-1', [happened]).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'STORE_UNAVAILABLE' });
    expect((error as { commitId?: string }).commitId).toMatch(/^[\da-f-]{36}$/);
    expect((error as Error).message).toContain((error as { commitId: string }).commitId);
  });

  it('says that it is unavailable when the server ends a read that no worker takes', async () => {
    // Before the client gives up.
    const impatient = await connectClient({
      interceptors: {
        workflow: [
          {
            startWithDetails: (input, next) =>
              next({ ...input, options: { ...input.options, workflowExecutionTimeout: msToTs('1 second') } }),
          },
        ],
      },
    });
    const store = new TemporalEventStore({ client: impatient, taskQueue: uniqueName('nobody') });
    await expect(store.readStream('Log-1')).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
      message: expect.stringContaining('No worker polls') as string,
    });
  });

  it('refuses options that are missing or unknown', () => {
    expect(() => new TemporalEventStore({ client } as never)).toThrow(/taskQueue/);
    expect(() => new TemporalEventStore({ client, taskQueue: 'q', queue: 'q' } as never)).toThrow(/queue/);
    expect(() => new TemporalEventStore(undefined as never)).toThrow(/client/);
  });
});
