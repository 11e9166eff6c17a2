import { Client, Connection } from '@temporalio/client';
import {
  AggregateRoot,
  defineEvents,
  withEvents,
  type DomainEvent,
  type EventStore,
} from 'temporal-event-store';
import { createAggregateActivities, createEventStoreActivities } from 'temporal-event-store/activities';
import {
  AggregateClient,
  ProjectionClient,
  TemporalEventStore,
  workflowMetrics,
} from 'temporal-event-store/client';
import { MemoryEventStore } from 'temporal-event-store/memory';
import { EventStorePlugin } from 'temporal-event-store/worker';
import { beforeAll, describe, expect, it } from 'vitest';
import { connectClient, uniqueName, useWorker, workflowsModule } from '../support/temporal.js';
import { Wallet } from '../support/wallet.js';
import { expectWorkerLog } from '../support/worker-log.js';

expectWorkerLog(
  /no such function is exported by the workflow bundle/,
  /eventStoreReplay is not registered on this Worker/,
  / failed \w+: The state of '\w+-1' can't be (built|shown)/,
  / failed \w+: 'Renamed' in 'Broken-1', version 1, can't be upcast/,
  /Snapshot not restored; the events are used .*No such field/,
);

let client: Client;
beforeAll(async () => {
  client = await connectClient();
});

const happened = { type: 'Happened', data: {} };
const timeout = 1_000;

/** What each call of a client says that gets no answer. */
async function callAll(asked: Client, taskQueue: string): Promise<Readonly<Record<string, unknown>>> {
  const store = new TemporalEventStore({ client: asked, taskQueue, timeout });
  const wallets = new AggregateClient({ client: asked, aggregate: Wallet, taskQueue });
  const projections = new ProjectionClient({ client: asked, taskQueue, timeout });
  const calls = {
    append: store.appendToStream('Log-1', [happened], { commitId: 'c' }),
    readStream: store.readStream('Log-1'),
    readAll: store.readAll(),
    findCommit: store.findCommit('Log-1', 'c'),
    statistics: store.statistics(),
    trends: store.trends({ interval: 'day' }),
    replay: store.replay({ aggregate: 'Wallet', id: '1' }),
    state: wallets.state('1', { timeout }),
    execute: wallets.execute('1', 'check', undefined, { timeout }),
    start: projections.start('balances'),
    // Of another: the first is started meanwhile.
    waitFor: projections.waitFor('totals', 1, { timeout: 1 }),
  };
  const outcomes = Object.entries(calls).map(async ([name, call]) => {
    const began = performance.now();
    const error = await call.then(
      () => 'an answer',
      (thrown: unknown) => thrown,
    );
    expect(performance.now() - began, name).toBeLessThan(9_000);
    return [name, error] as const;
  });
  return Object.fromEntries(await Promise.all(outcomes));
}

function unanswered(message: RegExp): object {
  return { code: 'STORE_UNAVAILABLE', message: expect.stringMatching(message) as unknown };
}

describe('a call that nobody answers ends in its time, and says why', () => {
  it('where no worker polls the task queue', async () => {
    const taskQueue = uniqueName('nobody');
    const { execute, append, start, waitFor, ...reads } = await callAll(client, taskQueue);
    // The server knows it without a worker.
    expect(waitFor).toMatchObject({
      code: 'PROJECTION_NOT_RUNNING',
      message: expect.stringContaining(`start('totals')`) as unknown,
    });
    const why = new RegExp(`No worker polls the task queue '${taskQueue}'. Start one with EventStorePlugin`);
    for (const [name, error] of Object.entries(reads)) expect(error, name).toMatchObject(unanswered(why));
    expect(start).toMatchObject(unanswered(why));
    expect(append).toMatchObject({ ...unanswered(why), commitId: 'c' });
    expect(append).toMatchObject(unanswered(/No answer through Temporal in 1000 ms\. .* commit id 'c'\.$/));
    expect(execute).toMatchObject({
      code: 'COMMAND_OUTCOME_UNKNOWN',
      message: expect.stringMatching(why) as unknown,
    });
  });

  it('where the server is away', async () => {
    // Not closed: the SDK is still trying, and would throw in a timer of its own.
    const connection = Connection.lazy({ address: '127.0.0.1:1' });
    const away = new Client({ connection });
    const { execute, ...others } = await callAll(away, 'any');
    const why = /The Temporal server gives no answer\. Is it up/;
    for (const [name, error] of Object.entries(others)) expect(error, name).toMatchObject(unanswered(why));
    expect(execute).toMatchObject({
      code: 'COMMAND_OUTCOME_UNKNOWN',
      message: expect.stringMatching(why) as unknown,
    });
    await expect(workflowMetrics(away, { timeout: 300 })).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
    });
  });

  it("where the worker doesn't have the library's workflows", async () => {
    const taskQueue = uniqueName('bare');
    const store = new MemoryEventStore();
    const aggregates = [Wallet];
    await useWorker({
      taskQueue,
      workflowsPath: workflowsModule('failures'),
      activities: {
        ...createEventStoreActivities({ store }),
        ...createAggregateActivities({ store, aggregates }),
      },
    });
    const wallets = new AggregateClient({ client, aggregate: Wallet, taskQueue });
    const remote = new TemporalEventStore({ client, taskQueue, timeout: 3_000 });
    const why = /export \* from 'temporal-event-store\/workflows'.*no such function/;
    const errors = await Promise.all([
      wallets.state('1', { timeout: 3_000 }).catch((error: unknown) => error),
      remote.appendToStream('Log-1', [happened]).catch((error: unknown) => error),
      wallets.execute('1', 'check', undefined, { timeout: 3_000 }).catch((error: unknown) => error),
    ]);
    for (const error of errors) {
      expect(error).toMatchObject({ message: expect.stringMatching(why) as unknown });
    }
  });

  it("where the worker doesn't have the activities for aggregates", async () => {
    const taskQueue = uniqueName('no-aggregates');
    await useWorker({ taskQueue, plugins: [new EventStorePlugin({ store: new MemoryEventStore() })] });
    const wallets = new AggregateClient({ client, aggregate: Wallet, taskQueue });
    await expect(wallets.state('1', { timeout: 3_000 })).rejects.toMatchObject(
      unanswered(/The activity 'eventStoreReplay' failed \d+ times.* not registered/),
    );
  });

  it('where the signal of its caller aborts', async () => {
    const wallets = new AggregateClient({ client, aggregate: Wallet, taskQueue: uniqueName('nobody') });
    const controller = new AbortController();
    const state = wallets.state('1', { signal: controller.signal });
    controller.abort(new Error('no time'));
    await expect(state).rejects.toThrow('no time');
    const aborted = AbortSignal.abort(new Error('before'));
    await expect(wallets.state('1', { signal: aborted })).rejects.toThrow('before');
  });

  it.each([{ timeout: 0 }, { timeout: '1s' }, { signal: {} }, { timeOut: 5 }])(
    'and not where the options are wrong: %j',
    async (options) => {
      const wallets = new AggregateClient({ client, aggregate: Wallet, taskQueue: 'any' });
      await expect(wallets.state('1', options as object)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    },
  );
});

type Renamed = DomainEvent<'Renamed', object>;

/** Each fails in another part of its own code. */
class Broken extends AggregateRoot<Renamed> {
  static readonly category = 'Broken';
  protected apply(): void {
    throw new TypeError('No rule for it');
  }
}
class Unborn extends AggregateRoot<Renamed> {
  static readonly category = 'Unborn';
  constructor(id: string) {
    super(id);
    throw new TypeError('No memory');
  }
  protected apply(): void {
    // It doesn't come to that.
  }
}
class Unseen extends AggregateRoot<Renamed> {
  static readonly category = 'Unseen';
  override toSnapshot(): never {
    throw new TypeError('Not to be seen');
  }
  protected apply(): void {
    // It is only looked at.
  }
}
class Unrestored extends AggregateRoot<Renamed> {
  static readonly category = 'Unrestored';
  names = 0;
  override restoreSnapshot(): void {
    throw new TypeError('No such field');
  }
  protected apply(): void {
    this.names++;
  }
}

async function useBroken(store: EventStore): Promise<TemporalEventStore> {
  const taskQueue = uniqueName('broken');
  const aggregates = [Broken, Unborn, Unseen, Unrestored];
  await useWorker({ taskQueue, plugins: [new EventStorePlugin({ store, aggregates })] });
  return new TemporalEventStore({ client, taskQueue });
}

describe('the state of an aggregate', () => {
  it('that its code fails to build, or to show, is an error at once', async () => {
    const store = new MemoryEventStore();
    const remote = await useBroken(store);
    for (const category of ['Broken', 'Unborn', 'Unseen']) {
      await store.appendToStream(`${category}-1`, [{ type: 'Renamed', data: {} }]);
    }
    const began = performance.now();
    const failures = [
      ['Broken', /'Broken-1' can't be built: event 1, 'Renamed', failed with TypeError: No rule for it/],
      ['Unborn', /'Unborn-1' can't be built: .*TypeError: No memory/],
      ['Unseen', /'Unseen-1' can't be shown: 'toSnapshot' failed with TypeError: Not to be seen/],
    ] as const;
    await Promise.all(
      failures.map(async ([aggregate, message]) => {
        await expect(remote.replay({ aggregate, id: '1' })).rejects.toMatchObject({
          code: 'COMMAND_FAILED',
          message: expect.stringMatching(message) as unknown,
        });
      }),
    );
    expect(performance.now() - began).toBeLessThan(10_000);
  });

  it('whose events can not be upcast is an error at once', async () => {
    const memory = new MemoryEventStore();
    await memory.appendToStream('Broken-1', [{ type: 'Renamed', data: {} }]);
    const upcast = {
      1: () => {
        throw new Error('a field is missing');
      },
    };
    const remote = await useBroken(
      withEvents(memory, defineEvents({ Renamed: { schemaVersion: 2, upcast } })),
    );
    await expect(remote.replay({ aggregate: 'Broken', id: '1' })).rejects.toMatchObject({
      code: 'INVALID_EVENT',
    });
  });

  it('is that of the events, where its snapshot can not be restored', async () => {
    const store = new MemoryEventStore();
    const remote = await useBroken(store);
    await store.appendToStream('Unrestored-1', [{ type: 'Renamed', data: {} }]);
    await store.snapshots.save('Unrestored-1', { name: 'Unrestored', version: 1 }, 1, { names: 7 });
    expect(await remote.replay({ aggregate: 'Unrestored', id: '1' })).toEqual({
      version: 1,
      state: { names: 1 },
    });
  });
});
