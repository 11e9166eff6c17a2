import { WorkflowFailedError, type Client } from '@temporalio/client';
import {
  defineEvents,
  definePublisher,
  isEventStoreError,
  StoreUnavailableError,
  withEvents,
  type AnyProjection,
  type EventStore,
  type StoreCapabilities,
} from 'temporal-event-store';
import { createProjectionActivities, type ProjectionActivities } from 'temporal-event-store/activities';
import { ProjectionClient } from 'temporal-event-store/client';
import { MemoryEventStore } from 'temporal-event-store/memory';
import { PGliteProjectionSink, type PGliteEventStore } from 'temporal-event-store/pglite';
import { EventStorePlugin } from 'temporal-event-store/worker';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  deposited,
  memoryBalances,
  sqlBalances,
  type Balances,
  type BalanceEvent,
} from '../support/balances.js';
import { gate } from '../support/gated-store.js';
import { usePGliteStore } from '../support/pglite.js';
import { connectClient, startWorker, uniqueName, useWorker } from '../support/temporal.js';
import { expectWorkerLog } from '../support/worker-log.js';

expectWorkerLog(
  / failed \w+: The event '[\da-f-]+' is not parked/,
  / failed \w+: The database is away/,
  /^WARN worker: Workflow failed Error: No worker knows the projection 'balanecs'/,
  / failed \w+: 'verify' of the projection 'balances' threw Error: 3 rows are missing/,
);

let client: Client;
beforeAll(async () => {
  client = await connectClient();
});

type Store = EventStore & StoreCapabilities;

function projectionWorkflowId(taskQueue: string): string {
  return `event-store/projection/${taskQueue}/balances`;
}

async function useProjections(
  store: Store,
  projections: readonly AnyProjection[],
  taskQueue = uniqueName('projections'),
): Promise<{ projector: ProjectionClient; taskQueue: string }> {
  await useWorker({
    taskQueue,
    plugins: [new EventStorePlugin({ store, projections })],
  });
  return { projector: new ProjectionClient({ client, taskQueue }), taskQueue };
}

/** The first are projected up to the end, then the second are deployed in their place. */
async function useDeployed(
  store: Store,
  first: readonly AnyProjection[],
  second: readonly AnyProjection[],
): ReturnType<typeof useProjections> {
  const taskQueue = uniqueName('projections');
  const stopWorker = await startWorker({
    taskQueue,
    plugins: [new EventStorePlugin({ store, projections: first })],
  });
  const projector = new ProjectionClient({ client, taskQueue });
  await projector.start('balances', { heartbeatTimeout: 1_000 });
  await projector.waitFor('balances', 10);
  await stopWorker();
  return useProjections(store, second, taskQueue);
}

async function deposit(store: EventStore, stream: string, ...amounts: number[]): Promise<number> {
  const { position } = await store.appendToStream<BalanceEvent>(stream, amounts.map(deposited));
  return position;
}

describe('a projection', () => {
  it('applies each event once, and those that come later', async () => {
    const store = new MemoryEventStore();
    const { projection, sink } = memoryBalances({ pageSize: 3 });
    await deposit(store, 'Account-1', 1, 2, 3, 4);
    const { projector } = await useProjections(store, [projection]);

    await projector.start('balances');
    const position = await deposit(store, 'Account-2', 5);
    await projector.waitFor('balances', position);

    expect(sink.model('balances')).toEqual(
      new Map([
        ['Account-1', { balance: 10, events: 4 }],
        ['Account-2', { balance: 5, events: 1 }],
      ]),
    );
    expect(await projector.status('balances')).toMatchObject({
      name: 'balances',
      state: 'running',
      version: 1,
      position: 5,
      lag: { events: 0, seconds: 0 },
      applied: 5,
      shards: 1,
    });
  });

  it('says that its database is away, and goes on when it is back', async () => {
    const store = new MemoryEventStore();
    const { projection, sink } = memoryBalances();
    const commit = sink.commit.bind(sink);
    sink.commit = () => Promise.reject(new StoreUnavailableError('The database is away.'));
    const { projector } = await useProjections(store, [projection]);
    const position = await deposit(store, 'Account-1', 1);

    await projector.start('balances');
    const status = () => projector.status('balances');
    await expect
      .poll(status, { timeout: 20_000 })
      .toMatchObject({ state: 'waiting', position: 0, waitsFor: 'The database is away.' });

    sink.commit = commit;
    await projector.waitFor('balances', position);
    expect(await status()).not.toHaveProperty('waitsFor');
  });

  it('goes on with another worker where it was', async () => {
    const store = new MemoryEventStore();
    const { projection, sink } = memoryBalances();
    const taskQueue = uniqueName('projections');
    const failures: string[] = [];
    const report = (message: string) => failures.push(message);
    const logger = { debug: () => undefined, info: () => undefined, warn: report, error: report };
    const plugins = [new EventStorePlugin({ store, projections: [projection], logger })];
    const projector = new ProjectionClient({ client, taskQueue });
    const stopWorker = await startWorker({
      taskQueue,
      plugins,
    });
    await projector.start('balances', { heartbeatTimeout: 1_000 });
    await projector.waitFor('balances', await deposit(store, 'Account-1', 1));

    await stopWorker();
    // A worker that is told to end has not failed.
    expect(failures).toEqual([]);
    await deposit(store, 'Account-1', 2);
    await useWorker({ taskQueue, plugins });

    await projector.waitFor('balances', 2);
    expect(sink.model('balances')?.get('Account-1')).toEqual({ balance: 3, events: 2 });
  });

  it('applies nothing while it is paused, and nothing is lost', async () => {
    const store = new MemoryEventStore();
    const { projection, sink } = memoryBalances();
    const { projector } = await useProjections(store, [projection]);
    await projector.start('balances');
    await projector.waitFor('balances', await deposit(store, 'Account-1', 1));

    expect(await projector.pause('balances')).toMatchObject({ state: 'paused' });
    const position = await deposit(store, 'Account-1', 2);
    const error: unknown = await projector
      .waitFor('balances', position, { timeout: 300 })
      .catch((e: unknown) => e);
    expect(isEventStoreError(error, 'PROJECTION_BEHIND')).toBe(true);
    expect(error).toMatchObject({ position: 2, reachedPosition: 1 });
    expect(sink.model('balances')?.get('Account-1')).toEqual({ balance: 1, events: 1 });

    expect(await projector.resume('balances')).toMatchObject({ state: 'running' });
    await projector.waitFor('balances', position);
    expect(sink.model('balances')?.get('Account-1')).toEqual({ balance: 3, events: 2 });
  });

  it('stays paused when it continues as new, after as many updates as a history should have', async () => {
    const store = new MemoryEventStore();
    const { projection, sink } = memoryBalances();
    const { projector, taskQueue } = await useProjections(store, [projection]);
    await projector.start('balances');
    await projector.waitFor('balances', await deposit(store, 'Account-1', 1));
    const { workflowId, runId } = await client.workflow.getHandle(projectionWorkflowId(taskQueue)).describe();
    await projector.pause('balances');

    // Temporal takes ten at a time.
    const ask = () => Promise.all(Array.from({ length: 10 }, () => projector.status('balances')));
    for (let round = 0; round < 50; round++) await ask();
    const first = client.workflow.getHandle(workflowId, runId);
    await expect.poll(async () => (await first.describe()).status.name).toBe('CONTINUED_AS_NEW');

    expect(await projector.status('balances')).toMatchObject({ state: 'paused', position: 1 });
    const position = await deposit(store, 'Account-1', 2);
    await projector.resume('balances');
    await projector.waitFor('balances', position);
    expect(sink.model('balances')?.get('Account-1')).toEqual({ balance: 3, events: 2 });
  });

  it('can be paused the moment it is resumed, again and again', async () => {
    const store = new MemoryEventStore();
    const { projection } = memoryBalances();
    const { projector } = await useProjections(store, [projection]);
    await projector.start('balances');
    await projector.waitFor('balances', await deposit(store, 'Account-1', 1));

    for (let round = 0; round < 10; round++) {
      expect(await projector.pause('balances')).toMatchObject({ state: 'paused' });
      expect(await projector.resume('balances')).toMatchObject({ state: 'running' });
    }
    await projector.waitFor('balances', await deposit(store, 'Account-1', 2));
  });

  it('can be stopped and started again', async () => {
    const store = new MemoryEventStore();
    const { projection, sink } = memoryBalances();
    const { projector } = await useProjections(store, [projection]);
    await projector.start('balances');
    await projector.waitFor('balances', await deposit(store, 'Account-1', 1));

    await projector.stop('balances');
    const position = await deposit(store, 'Account-1', 2);
    expect(await projector.status('balances')).toMatchObject({ state: 'stopped', position: 1 });
    await expect(projector.waitFor('balances', position)).rejects.toMatchObject({
      code: 'PROJECTION_BEHIND',
    });

    await projector.start('balances');
    await projector.waitFor('balances', position);
    expect(sink.model('balances')?.get('Account-1')).toEqual({ balance: 3, events: 2 });
  });

  it('that is cancelled ends, and goes on where it was once it is started', async () => {
    const store = new MemoryEventStore();
    const { projection, sink } = memoryBalances();
    const { projector, taskQueue } = await useProjections(store, [projection]);
    await projector.start('balances');
    await projector.waitFor('balances', await deposit(store, 'Account-1', 1));

    const handle = client.workflow.getHandle(projectionWorkflowId(taskQueue));
    await handle.cancel();
    await expect(handle.result()).rejects.toBeInstanceOf(WorkflowFailedError);
    expect((await handle.describe()).status.name).toBe('CANCELLED');

    await projector.start('balances');
    await projector.waitFor('balances', await deposit(store, 'Account-1', 2));
    expect(sink.model('balances')?.get('Account-1')).toEqual({ balance: 3, events: 2 });
  });

  it('spreads streams over its shards, each stream in order', async () => {
    const store = new MemoryEventStore();
    const { projection, sink } = memoryBalances({ shards: 3, pageSize: 10 });
    const { projector } = await useProjections(store, [projection]);
    let position = 0;
    for (let round = 1; round <= 5; round++) {
      for (let account = 0; account < 20; account++) {
        position = await deposit(store, `Account-${account}`, round);
      }
    }

    await projector.start('balances');
    await projector.waitFor('balances', position);

    const expected = Array.from(
      { length: 20 },
      (_, account) => [`Account-${account}`, { balance: 15, events: 5 }] as const,
    );
    expect(sink.model('balances')).toEqual(new Map(expected));
    expect(await projector.status('balances')).toMatchObject({ shards: 3, applied: 100 });
  });

  it('that nobody knows, or nobody started, is an error that says so', async () => {
    const { projector } = await useProjections(new MemoryEventStore(), [memoryBalances().projection]);

    await expect(projector.start('balanecs')).rejects.toMatchObject({
      code: 'PROJECTION_UNKNOWN',
      message: expect.stringContaining(`'balanecs'; known: balances.`) as string,
    });
    await expect(projector.status('balances')).rejects.toMatchObject({
      code: 'PROJECTION_NOT_RUNNING',
      message: expect.stringContaining(`start('balances')`) as string,
    });
    await expect(projector.pause('balances')).rejects.toMatchObject({ code: 'PROJECTION_NOT_RUNNING' });
    await expect(projector.waitFor('balances', 1)).rejects.toMatchObject({
      code: 'PROJECTION_NOT_RUNNING',
      message: expect.stringContaining(`start('balances')`) as string,
    });
  });

  it('is not disturbed by those who wait for it, nor waits who gives up', async () => {
    const store = new MemoryEventStore();
    const { projector, taskQueue } = await useProjections(store, [memoryBalances().projection]);
    await projector.start('balances');
    await projector.pause('balances');
    const handle = client.workflow.getHandle(projectionWorkflowId(taskQueue));
    const { historyLength } = await handle.describe();

    const giveUp = new AbortController();
    const waiting = projector.waitFor('balances', 1, { signal: giveUp.signal });
    await expect(projector.waitFor('balances', 1, { timeout: 500 })).rejects.toMatchObject({
      code: 'PROJECTION_BEHIND',
    });
    giveUp.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
    expect((await handle.describe()).historyLength).toBe(historyLength);
  });
});

describe('while a release is rolled out, a projection', () => {
  it('waits for a worker that knows a newer event, says so, and goes on with it', async () => {
    const memory = new MemoryEventStore();
    const before = withEvents(memory, defineEvents({ Deposited: {} }));
    const after = withEvents(
      memory,
      defineEvents({ Deposited: { schemaVersion: 2, upcast: { 1: (data: { amount: number }) => data } } }),
    );
    const { projection, sink } = memoryBalances();
    const taskQueue = uniqueName('projections');
    const stopOld = await startWorker({
      taskQueue,
      plugins: [new EventStorePlugin({ store: before, projections: [projection] })],
    });
    const projector = new ProjectionClient({ client, taskQueue });
    await projector.start('balances', { heartbeatTimeout: 1_000 });
    const position = await deposit(after, 'Account-1', 1);

    await expect
      .poll(() => projector.status('balances'), { timeout: 20_000 })
      .toMatchObject({
        state: 'waiting',
        position: 0,
        waitsFor: expect.stringMatching(/schemaVersion 2/) as string,
      });
    expect(await projector.parked('balances')).toMatchObject([{ streamId: 'Account-1', status: 'blocking' }]);

    await stopOld();
    await useProjections(after, [projection], taskQueue);
    await projector.waitFor('balances', position);
    expect(sink.model('balances')).toEqual(new Map([['Account-1', { balance: 1, events: 1 }]]));
    expect(await projector.parked('balances')).toEqual([]);
  });

  it.each(['a read model', 'a publisher'])('an operator can skip what %s waits at', async (kind) => {
    const memory = new MemoryEventStore();
    const old = withEvents(memory, defineEvents({ Deposited: {} }));
    await memory.appendToStream('Account-1', [
      deposited(1),
      { ...deposited(2), schemaVersion: 2 },
      deposited(3),
    ]);
    const applied: number[] = [];
    const projection =
      kind === 'a publisher'
        ? definePublisher({
            name: 'balances',
            publisher: {
              publish: async (events) => void applied.push(...events.map(({ version }) => version)),
            },
          })
        : memoryBalances().projection;
    const { projector } = await useProjections(old, [projection]);
    await projector.start('balances');
    await expect.poll(() => projector.parked('balances'), { timeout: 20_000 }).toHaveLength(1);

    const { events } = await memory.readStream('Account-1');
    await projector.skip('balances', events[1]?.id ?? '', { operator: 'Ann', reason: 'a test' });
    await projector.waitFor('balances', 3);

    expect(await projector.status('balances')).toMatchObject({ applied: 2 });
    if (kind === 'a publisher') expect(applied).toEqual([1, 3]);
  });

  it('waits for a worker that knows its version, says so, and goes on with it', async () => {
    const store = new MemoryEventStore();
    const { projection: first, sink } = memoryBalances();
    const { projection: second } = memoryBalances({ version: 2, sink });
    const position = await deposit(store, 'Account-1', ...Array.from({ length: 10 }, () => 1));
    const { projector, taskQueue } = await useDeployed(store, [first], [second]);
    const next = await deposit(store, 'Account-1', 1);

    await expect
      .poll(() => projector.status('balances'), { timeout: 20_000 })
      .toMatchObject({
        state: 'waiting',
        position,
        waitsFor: expect.stringMatching(/^No worker knows version 1 of .*known: 2\./) as string,
      });

    await useProjections(store, [first, second], taskQueue);
    await projector.waitFor('balances', next);
  });

  it('says which event types nobody has ever appended', async () => {
    const store = new MemoryEventStore();
    const { projection } = memoryBalances();
    await deposit(store, 'Account-1', 1);
    const { projector } = await useProjections(store, [projection]);

    await projector.start('balances');
    expect(await projector.status('balances')).toMatchObject({ unseenTypes: ['Broken'] });

    await store.appendToStream('Account-1', [{ type: 'Broken', data: {} }]);
    expect(await projector.status('balances')).not.toHaveProperty('unseenTypes');
  });
});

describe('an event whose handler throws', () => {
  it('stops the projection loudly, and goes through once the handler is mended', async () => {
    const store = new MemoryEventStore();
    let isBroken = true;
    const { projection, sink } = memoryBalances({
      maxAttempts: 2,
      onEvent: (type) => {
        if (type === 'Broken' && isBroken) throw new TypeError('no such thing');
      },
    });
    const { projector } = await useProjections(store, [projection]);
    await deposit(store, 'Account-1', 1);
    const { eventIds } = await store.appendToStream('Account-2', [{ type: 'Broken', data: {} }]);
    const position = await deposit(store, 'Account-1', 2);

    await projector.start('balances');
    await expect(projector.waitFor('balances', position)).rejects.toMatchObject({
      code: 'PROJECTION_BEHIND',
      message: expect.stringContaining('TypeError: no such thing') as string,
    });
    expect(await projector.status('balances')).toMatchObject({
      state: 'blocked',
      position: 1,
      blocked: {
        eventId: eventIds[0],
        streamId: 'Account-2',
        version: 1,
        position: 2,
        type: 'Broken',
        attempts: 2,
      },
    });
    expect(await projector.parked('balances')).toMatchObject([{ eventId: eventIds[0], status: 'blocking' }]);

    isBroken = false;
    await projector.retry('balances', eventIds[0] as string);
    await projector.waitFor('balances', position);
    expect(sink.model('balances')?.get('Account-1')).toEqual({ balance: 3, events: 2 });
    expect(await projector.parked('balances')).toEqual([]);
  });

  it('is no longer listed once it went through after a resume', async () => {
    const store = new MemoryEventStore();
    let isBroken = true;
    const { projection } = memoryBalances({
      maxAttempts: 1,
      onEvent: (type) => {
        if (type === 'Broken' && isBroken) throw new Error('not yet');
      },
    });
    const { projector } = await useProjections(store, [projection]);
    const { eventIds, position } = await store.appendToStream('Account-1', [{ type: 'Broken', data: {} }]);
    await projector.start('balances');
    await expect(projector.waitFor('balances', position)).rejects.toMatchObject({
      code: 'PROJECTION_BEHIND',
    });

    isBroken = false;
    await projector.resume('balances');
    await projector.waitFor('balances', position);

    expect(await projector.parked('balances')).toEqual([]);
    await expect(
      projector.skip('balances', eventIds[0] as string, { operator: 'Ann', reason: 'too late' }),
    ).rejects.toMatchObject({ code: 'EVENT_NOT_PARKED', eventId: eventIds[0] });
  });

  it('goes through when it is tried again by who sees it before the workflow has heard of it', async () => {
    const store = new MemoryEventStore();
    let isBroken = true;
    const { projection, sink } = memoryBalances({
      maxAttempts: 1,
      onEvent: (type) => {
        if (type === 'Broken' && isBroken) throw new Error('not yet');
      },
    });
    const { projector } = await useProjections(store, [projection]);
    await projector.start('balances');
    await projector.waitFor('balances', await deposit(store, 'Account-1', 1));
    const [live] = await sink.open({ name: 'balances', version: 1, shards: 1 }, undefined);
    const parked = () => sink.parked('balances', live?.build ?? 0, 100);
    const { eventIds, position } = await store.appendToStream('Account-1', [{ type: 'Broken', data: {} }]);
    await expect.poll(parked, { interval: 1, timeout: 20_000 }).toHaveLength(1);

    isBroken = false;
    await projector.retry('balances', eventIds[0] as string);

    await projector.waitFor('balances', position);
    expect(await parked()).toEqual([]);
  });

  it('is passed over when an operator says so, which is kept', async () => {
    const store = new MemoryEventStore();
    const { projection, sink } = memoryBalances({
      maxAttempts: 1,
      onEvent: (type) => {
        if (type === 'Broken') throw new Error('never');
      },
    });
    const { projector } = await useProjections(store, [projection]);
    const { eventIds } = await store.appendToStream('Account-2', [{ type: 'Broken', data: {} }]);
    const position = await deposit(store, 'Account-2', 2);
    await projector.start('balances');
    await expect(projector.waitFor('balances', position)).rejects.toMatchObject({
      code: 'PROJECTION_BEHIND',
    });

    const by = { operator: 'Ann', reason: 'a test event, see #12' };
    await projector.skip('balances', eventIds[0] as string, by);

    await projector.waitFor('balances', position);
    expect(sink.model('balances')?.get('Account-2')).toEqual({ balance: 2, events: 1 });
    expect(await projector.parked('balances')).toMatchObject([
      { eventId: eventIds[0], status: 'skipped', ...by },
    ]);
    await expect(projector.skip('balances', eventIds[0] as string, by)).rejects.toMatchObject({
      code: 'EVENT_NOT_PARKED',
    });
  });

  it('can be parked, with those behind it in its stream, while the others go on', async () => {
    const store = new MemoryEventStore();
    let isBroken = true;
    const order: string[] = [];
    const { projection, sink } = memoryBalances({
      maxAttempts: 1,
      onPoison: 'park',
      onEvent: (type, streamId) => {
        if (type === 'Broken' && isBroken) throw new Error('not yet');
        order.push(`${type} ${streamId}`);
      },
    });
    const { projector } = await useProjections(store, [projection]);
    const { eventIds } = await store.appendToStream('Account-2', [{ type: 'Broken', data: {} }]);
    await deposit(store, 'Account-1', 1);
    await deposit(store, 'Account-2', 2);
    await projector.start('balances');
    await projector.waitFor('balances', await deposit(store, 'Account-2', 3));

    expect(sink.model('balances')).toEqual(new Map([['Account-1', { balance: 1, events: 1 }]]));
    expect(await projector.parked('balances')).toMatchObject([
      { eventId: eventIds[0], status: 'parked', attempts: 1, error: 'Error: not yet' },
      { streamId: 'Account-2', version: 2, status: 'parked', attempts: 0 },
      { streamId: 'Account-2', version: 3, status: 'parked', attempts: 0 },
    ]);
    // Although the heartbeat with the handler's error is the last that the server has got.
    expect(await projector.status('balances')).toMatchObject({ state: 'running', position: 4 });

    isBroken = false;
    order.length = 0;
    await projector.retry('balances', eventIds[0] as string);
    await projector.waitFor('balances', await deposit(store, 'Account-2', 4));
    expect(order).toEqual(['Broken Account-2', ...Array<string>(3).fill('Deposited Account-2')]);
    expect(sink.model('balances')?.get('Account-2')).toEqual({ balance: 9, events: 3 });
    expect(await projector.parked('balances')).toEqual([]);
  });
});

describe('a rebuild', () => {
  it('makes the new version beside the old, and readers get it at once when it is right', async () => {
    const store = new MemoryEventStore();
    const { projection: first, sink } = memoryBalances();
    const second = memoryBalances({
      version: 2,
      sink,
      pageSize: 2,
      handlers: {
        Deposited: ({ streamId, data }, balances: Balances) => {
          const { balance, events } = balances.get(streamId) ?? { balance: 0, events: 0 };
          balances.set(streamId, { balance: balance + data.amount * 100, events: events + 1 });
        },
      },
      verify: (balances: Balances) => {
        if (balances.get('Account-1')?.events !== 10) throw new Error('events are missing');
      },
    }).projection;
    for (let index = 0; index < 10; index++) await deposit(store, 'Account-1', 1);
    const { projector } = await useDeployed(store, [first], [first, second]);
    expect(await projector.status('balances')).toMatchObject({ version: 1 });

    await projector.rebuild('balances', { maxEventsPerSecond: 20 });
    const seen = new Set<number | undefined>();
    for (;;) {
      seen.add(sink.model('balances')?.get('Account-1')?.balance);
      const { version, rebuild } = await projector.status('balances');
      if (rebuild !== undefined) expect(rebuild).toMatchObject({ target: 10 });
      if (version === 2 && rebuild === undefined) break;
    }
    seen.add(sink.model('balances')?.get('Account-1')?.balance);
    // Never a half-built one.
    expect([...seen]).toEqual([10, 1_000]);

    await projector.waitFor('balances', await deposit(store, 'Account-1', 1));
    expect(sink.model('balances')?.get('Account-1')).toEqual({ balance: 1_100, events: 11 });
    expect(await projector.status('balances')).toMatchObject({ previous: { version: 1, position: 10 } });

    expect(await projector.rollback('balances')).toMatchObject({ version: 1 });
    await projector.waitFor('balances', 11);
    expect(sink.model('balances')?.get('Account-1')).toEqual({ balance: 11, events: 11 });
  });

  it('is not live before it has all that readers have seen', async () => {
    const store = new MemoryEventStore();
    const { projection, sink } = memoryBalances();
    const taskQueue = uniqueName('projections');
    const projector = new ProjectionClient({ client, taskQueue });
    const { eventStoreProject } = createProjectionActivities({ store, projections: [projection] });
    let ends = 0;
    const activities: Pick<ProjectionActivities, 'eventStoreProject'> = {
      eventStoreProject: async (shard) => {
        const reply = await eventStoreProject(shard);
        // The new one has come to the end, and is verified. Now the live one goes on.
        if (shard.until === 'end' && ++ends === 2) {
          await projector.waitFor('balances', await deposit(store, 'Account-1', 2));
        }
        return reply;
      },
    };
    const plugins = [new EventStorePlugin({ store, projections: [projection] })];
    await useWorker({ taskQueue, activities, plugins });
    await projector.start('balances');
    await projector.waitFor('balances', await deposit(store, 'Account-1', 1));
    const activate = sink.activate.bind(sink);
    const shown = gate();
    let balance: number | undefined;
    sink.activate = async (...args) => {
      await activate(...args);
      balance = sink.model('balances')?.get('Account-1')?.balance;
      shown.open();
    };

    await projector.rebuild('balances');
    await shown.opened;

    expect(balance).toBe(3);
  });

  it('that is not right leaves the old one, says why, and can be given up', async () => {
    const store = new MemoryEventStore();
    const { projection, sink } = memoryBalances({
      verify: () => {
        throw new Error('3 rows are missing');
      },
    });
    const { projector } = await useProjections(store, [projection]);
    await projector.start('balances');
    await projector.waitFor('balances', await deposit(store, 'Account-1', 1));
    const before = sink.model('balances');

    await projector.rebuild('balances');
    await expect
      .poll(() => projector.status('balances'), { timeout: 20_000 })
      .toMatchObject({
        rebuild: { phase: 'failed', error: expect.stringContaining('3 rows are missing') as string },
      });
    expect(sink.model('balances')).toBe(before);

    expect(await projector.cancelRebuild('balances')).not.toHaveProperty('rebuild');
    await projector.waitFor('balances', await deposit(store, 'Account-1', 2));
    expect(sink.model('balances')?.get('Account-1')).toEqual({ balance: 3, events: 2 });
  });
});

describe('a projection into the embedded database', () => {
  async function useDatabase(): Promise<{ store: PGliteEventStore; sink: PGliteProjectionSink }> {
    const store = await usePGliteStore();
    return { store, sink: new PGliteProjectionSink({ store }) };
  }
  async function rows(store: PGliteEventStore, schema = 'balances'): Promise<readonly unknown[]> {
    return store.transaction(async (transaction) => {
      const result = await transaction.query(
        `select stream, balance::int, events::int from "${schema}".balances order by stream`,
      );
      return result.rows;
    });
  }

  it('writes the read model and the checkpoint together, also of an event that fails', async () => {
    const { store, sink } = await useDatabase();
    const { projector } = await useProjections(store, [sqlBalances({ sink, maxAttempts: 1 })]);
    await deposit(store, 'Account-1', 1, 2);
    const { eventIds } = await store.appendToStream('Account-1', [{ type: 'Broken', data: {} }]);
    const position = await deposit(store, 'Account-1', 3);
    await projector.start('balances');

    await expect(projector.waitFor('balances', position)).rejects.toMatchObject({
      code: 'PROJECTION_BEHIND',
      message: expect.stringContaining('column "broken" does not exist') as string,
    });
    expect(await rows(store)).toEqual([{ stream: 'Account-1', balance: 3, events: 2 }]);

    await projector.skip('balances', eventIds[0] as string, { operator: 'Ann', reason: 'a test' });
    await projector.waitFor('balances', position);
    expect(await rows(store)).toEqual([{ stream: 'Account-1', balance: 6, events: 3 }]);
    const skipped = [{ eventId: eventIds[0], status: 'skipped', operator: 'Ann', reason: 'a test' }];
    expect(await projector.parked('balances')).toMatchObject(skipped);

    // For good: also when it is built again.
    await projector.rebuild('balances');
    await expect
      .poll(() => projector.status('balances'), { timeout: 30_000 })
      .toMatchObject({ previous: { position } });
    expect(await rows(store)).toEqual([{ stream: 'Account-1', balance: 6, events: 3 }]);
    expect(await projector.parked('balances')).toMatchObject(skipped);
  });

  it('is rebuilt in a schema of its own, and rolled back', async () => {
    const { store, sink } = await useDatabase();
    const hundredfold = sqlBalances({
      sink,
      version: 2,
      shards: 2,
      handlers: {
        Deposited: ({ streamId, data }, { client: sql, schema }) =>
          sql.query(
            `insert into "${schema}".balances values ($1, $2, 1) on conflict (stream) do update
            set balance = balances.balance + excluded.balance, events = balances.events + 1`,
            [streamId, data.amount * 100],
          ),
      },
    });
    const first = sqlBalances({ sink });
    for (let index = 0; index < 10; index++) await deposit(store, `Account-${index}`, 1);
    const { projector } = await useDeployed(store, [first], [first, hundredfold]);

    await projector.rebuild('balances');
    await expect
      .poll(() => projector.status('balances'), { timeout: 30_000 })
      .toMatchObject({ version: 2, shards: 2 });
    expect((await rows(store))[0]).toEqual({ stream: 'Account-0', balance: 100, events: 1 });
    expect((await rows(store, 'balances__previous'))[0]).toEqual({
      stream: 'Account-0',
      balance: 1,
      events: 1,
    });
    await projector.waitFor('balances', await deposit(store, 'Account-0', 1));
    expect((await rows(store))[0]).toEqual({ stream: 'Account-0', balance: 200, events: 2 });

    await projector.rollback('balances');
    await projector.waitFor('balances', 11);
    expect((await rows(store))[0]).toEqual({ stream: 'Account-0', balance: 2, events: 2 });
  });

  it('parks events in it', async () => {
    const { store, sink } = await useDatabase();
    const { projector } = await useProjections(store, [
      sqlBalances({ sink, maxAttempts: 1, onPoison: 'park' }),
    ]);
    const { eventIds } = await store.appendToStream('Account-2', [{ type: 'Broken', data: {} }]);
    await deposit(store, 'Account-2', 2);
    await projector.start('balances');
    await projector.waitFor('balances', await deposit(store, 'Account-1', 1));

    expect(await rows(store)).toEqual([{ stream: 'Account-1', balance: 1, events: 1 }]);
    expect(await projector.parked('balances')).toMatchObject([
      { status: 'parked' },
      { status: 'parked', attempts: 0 },
    ]);

    await projector.retry('balances', eventIds[0] as string);
    await expect
      .poll(() => projector.parked('balances'))
      .toMatchObject([{ status: 'parked' }, { status: 'parked', attempts: 0 }]);
    await projector.skip('balances', eventIds[0] as string, { operator: 'Ann', reason: 'a test' });
    await expect.poll(() => projector.parked('balances')).toMatchObject([{ status: 'skipped' }]);
    expect(await rows(store)).toEqual([
      { stream: 'Account-1', balance: 1, events: 1 },
      { stream: 'Account-2', balance: 2, events: 1 },
    ]);
  });
});
