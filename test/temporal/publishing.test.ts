import type { ChildProcess } from 'node:child_process';
import type { Client } from '@temporalio/client';
import { Webhook } from 'standardwebhooks';
import {
  definePublisher,
  defineProjection,
  RetryLaterError,
  type AnyProjection,
  type EventStore,
  type StoreCapabilities,
} from 'temporal-event-store';
import { WebhookPublisher } from 'temporal-event-store/activities';
import { ProjectionClient } from 'temporal-event-store/client';
import { MemoryEventStore, MemoryProjectionSink } from 'temporal-event-store/memory';
import { EventStorePlugin } from 'temporal-event-store/worker';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { usePGliteStore } from '../support/pglite.js';
import { serveStore } from '../support/store-over-http.js';
import {
  connectClient,
  readyMadeWorkflows,
  startWorker,
  uniqueName,
  useWorker,
} from '../support/temporal.js';
import { newSecret, useReceiver, type WebhookReceiver } from '../support/webhook-receiver.js';
import { expectWorkerLog } from '../support/worker-log.js';
import { forkWorker } from '../support/worker-process.js';

expectWorkerLog(
  / activity: Projection waits/,
  / activity: Rebase projection failed/,
  /^WARN worker: Workflow failed Error: Activity task failed/,
  / activity: Project failed PositionAheadOfStoreError/,
  /^WARN worker: Activity failed ApplicationFailure: (Position 5|The (position 4|checkpoint 5) of 'out'|The projection 'kept'|The projection has come)/,
  / failed \w+: The projection 'hook' has neither a sink/,
);

let client: Client;
beforeAll(async () => {
  client = await connectClient();
});

const secret = newSecret();
const backoff = { first: 20, longest: 50 };

function webhookTo({ url }: WebhookReceiver): WebhookPublisher {
  return new WebhookPublisher({ url, secrets: [secret], backoff });
}

async function usePublishers(
  store: EventStore & StoreCapabilities,
  projections: readonly AnyProjection[],
): Promise<ProjectionClient> {
  const taskQueue = uniqueName('publishing');
  await useWorker({ taskQueue, plugins: [new EventStorePlugin({ store, projections })] });
  return new ProjectionClient({ client, taskQueue });
}

/** Appends events of the data 1 to `count`, to streams in turn. @returns the position of the last */
async function pay(store: EventStore, count: number, streams = 3): Promise<number> {
  let position = 0;
  for (let data = 1; data <= count; data++) {
    ({ position } = await store.appendToStream(`Payment-${data % streams}`, [{ type: 'Paid', data }]));
  }
  return position;
}

function upTo(count: number): readonly number[] {
  return Array.from({ length: count }, (_, index) => index + 1);
}

describe('a publisher', () => {
  it('hands over events in order, those of its filter, and goes on after those of before', async () => {
    const store = await usePGliteStore();
    const receiver = await useReceiver();
    const projector = await usePublishers(store, [
      definePublisher({
        name: 'payments',
        filter: { types: ['Paid'] },
        pageSize: 7,
        publisher: webhookTo(receiver),
      }),
    ]);
    await pay(store, 20);
    await store.appendToStream('Payment-1', [{ type: 'Viewed', data: 0 }]);
    await projector.start('payments');
    await projector.waitFor('payments', 21);
    await projector.stop('payments');
    const { position } = await store.appendToStream('Payment-1', [{ type: 'Paid', data: 21 }]);
    await projector.start('payments');
    await projector.waitFor('payments', position);

    expect(receiver.accepted).toEqual(upTo(21));
    expect(await projector.status('payments')).toMatchObject({ state: 'running', position: 22 });
    for (const { body, headers } of receiver.deliveries) {
      expect(new Webhook(secret).verify(body, headers as Record<string, string>)).toBeDefined();
    }
  }, 120_000);

  it('keeps its place while what it goes to is away, whatever maxAttempts says', async () => {
    const store = new MemoryEventStore();
    const published: unknown[] = [];
    let attempts = 0;
    const projector = await usePublishers(store, [
      definePublisher({
        name: 'broker',
        maxAttempts: 1,
        publisher: {
          async publish(events) {
            // Half a page goes through, then the broker is away for a while.
            if (published.length === 0) {
              published.push(...events.slice(0, 2).map(({ data }) => data));
              throw new RetryLaterError('away', { done: 2, retryAfter: 0 });
            }
            if (++attempts < 4) throw new RetryLaterError('away', { retryAfter: 1 });
            published.push(...events.map(({ data }) => data));
          },
        },
      }),
    ]);
    const position = await pay(store, 5);
    await projector.start('broker');
    await projector.waitFor('broker', position);

    expect(published).toEqual(upTo(5));
    expect(attempts).toBe(4);
    expect(await projector.status('broker')).toMatchObject({ state: 'running', applied: 5 });
  });

  it('is not rebuilt: what it has published is out', async () => {
    const store = new MemoryEventStore();
    const receiver = await useReceiver();
    const projector = await usePublishers(store, [
      definePublisher({ name: 'hook', publisher: webhookTo(receiver) }),
    ]);
    await projector.start('hook');
    await projector.waitFor('hook', await pay(store, 1));
    await projector.rebuild('hook');
    await expect
      .poll(() => projector.status('hook'), { timeout: 20_000 })
      .toMatchObject({ rebuild: { phase: 'failed' } });
    expect(receiver.accepted).toEqual([1]);
  });
});

describe('webhooks', () => {
  it('get all events while another is down, which gets its own when it is up again', async () => {
    const store = new MemoryEventStore();
    const [well, ill] = [await useReceiver(), await useReceiver()];
    await ill.down();
    const projector = await usePublishers(store, [
      definePublisher({ name: 'well', publisher: webhookTo(well) }),
      definePublisher({ name: 'ill', publisher: webhookTo(ill), maxAttempts: 1 }),
    ]);
    await projector.start('well');
    await projector.start('ill');
    const position = await pay(store, 10);

    await projector.waitFor('well', position);
    expect(well.accepted).toEqual(upTo(10));
    await expect(projector.waitFor('ill', 1, { timeout: 500 })).rejects.toMatchObject({
      code: 'PROJECTION_BEHIND',
    });
    const { origin } = new URL(ill.url);
    const waiting = { state: 'waiting', position: 0, waitsFor: expect.stringContaining(origin) as string };
    await expect.poll(() => projector.status('ill'), { timeout: 20_000 }).toMatchObject(waiting);
    expect(await projector.status('well')).not.toHaveProperty('waitsFor');

    await ill.up();
    await projector.waitFor('ill', position);
    expect(ill.accepted).toEqual(upTo(10));
    await expect.poll(() => projector.status('ill'), { timeout: 20_000 }).not.toHaveProperty('waitsFor');
  });

  it('that answer 503 in the middle of a page get each event accepted once', async () => {
    const store = new MemoryEventStore();
    const receiver = await useReceiver((_, number) => ({ status: number % 3 === 0 ? 503 : 204 }));
    const projector = await usePublishers(store, [
      definePublisher({ name: 'hook', publisher: webhookTo(receiver) }),
    ]);
    const position = await pay(store, 12);
    await projector.start('hook');
    await projector.waitFor('hook', position);
    expect(receiver.accepted).toEqual(upTo(12));
    expect(receiver.deliveries).toHaveLength(17);
  });

  it('that refuse an event stop at it, and go on when an operator skips it', async () => {
    const store = new MemoryEventStore();
    const receiver = await useReceiver(({ body }) => ({ status: body.includes('"data":3') ? 422 : 204 }));
    const projector = await usePublishers(store, [
      definePublisher({ name: 'hook', maxAttempts: 2, publisher: webhookTo(receiver) }),
    ]);
    const position = await pay(store, 5);
    await projector.start('hook');

    await expect(projector.waitFor('hook', position)).rejects.toMatchObject({
      code: 'PROJECTION_BEHIND',
      message: expect.stringContaining('answered 422') as string,
    });
    const { state, blocked } = await projector.status('hook');
    expect(state).toBe('blocked');
    expect(blocked).toMatchObject({ position: 3, attempts: 2, type: 'Paid' });
    expect(receiver.accepted).toEqual([1, 2]);

    await projector.skip('hook', blocked?.eventId ?? '', { operator: 'Ann', reason: 'gone' });
    await projector.waitFor('hook', position);
    expect(receiver.accepted).toEqual([1, 2, 4, 5]);
  });

  it('that answer 404 while they are deployed get their events afterwards', async () => {
    const store = new MemoryEventStore();
    let isDeployed = false;
    const receiver = await useReceiver(() => ({ status: isDeployed ? 204 : 404 }));
    const projector = await usePublishers(store, [
      definePublisher({ name: 'hook', maxAttempts: 1, publisher: webhookTo(receiver) }),
    ]);
    const position = await pay(store, 3);
    await projector.start('hook');
    const waiting = {
      state: 'waiting',
      waitsFor: expect.stringContaining('answered 404, which is about the endpoint') as string,
    };
    await expect.poll(() => projector.status('hook'), { timeout: 20_000 }).toMatchObject(waiting);
    isDeployed = true;
    await projector.waitFor('hook', position);
    expect(receiver.accepted).toEqual(upTo(3));
  });

  it('park an event where there is a sink for it, with those behind it in its stream', async () => {
    const store = new MemoryEventStore();
    let isMended = false;
    const receiver = await useReceiver(({ body }) => ({
      status: body.includes('"data":2') && !isMended ? 400 : 204,
    }));
    const projector = await usePublishers(store, [
      definePublisher({
        name: 'hook',
        onPoison: 'park',
        maxAttempts: 1,
        sink: new MemoryProjectionSink(() => ({})),
        publisher: webhookTo(receiver),
      }),
    ]);
    const position = await pay(store, 6);
    await projector.start('hook');
    await projector.waitFor('hook', position);
    expect(receiver.accepted).toEqual([1, 3, 4, 6]);
    const [parked] = await projector.parked('hook');
    expect(parked).toMatchObject({ version: 1, streamId: 'Payment-2', status: 'parked' });

    isMended = true;
    await projector.retry('hook', parked?.eventId ?? '');
    await expect.poll(() => receiver.accepted).toEqual([1, 3, 4, 6, 2, 5]);
  });
});

/** A publisher whose name, store and number of shards are what counts; and what it has published. */
function collecting(shards = 1, published: unknown[] = []) {
  const projection = definePublisher({
    name: 'out',
    shards,
    publisher: { publish: async (events) => void published.push(...events.map(({ data }) => data)) },
  });
  return { projection, published };
}

const by = { operator: 'Ann', reason: 'restored' };

describe('a publisher that can not go on as it was', () => {
  it('takes up another number of shards with the next deploy, and loses nothing', async () => {
    const store = new MemoryEventStore();
    const taskQueue = uniqueName('publishing');
    const projector = new ProjectionClient({ client, taskQueue });
    const published: unknown[] = [];
    let isAway = true;
    const deploy = (shards: number) => {
      const { projection } = collecting(shards, published);
      const { handle } = projection;
      const away: AnyProjection = {
        ...projection,
        handle: async (events, context) => {
          const streams = events.map(({ streamId }) => streamId);
          if (isAway && streams.includes('Payment-1')) {
            throw new RetryLaterError('away', { retryAfter: 50 });
          }
          await handle(events, context);
        },
      };
      return startWorker({ taskQueue, plugins: [new EventStorePlugin({ store, projections: [away] })] });
    };
    const stopFirst = await deploy(2);
    await pay(store, 9);
    await projector.start('out', { heartbeatTimeout: 2_000 });
    await expect.poll(() => published.length).toBeGreaterThan(0);
    // Side by side for a while, as in a rolling deploy; the workflow runs on.
    const stopSecond = await deploy(1);
    await stopFirst();
    isAway = false;
    await expect
      .poll(() => projector.status('out'), { timeout: 30_000 })
      .toMatchObject({ shards: 1, position: 9 });
    expect(published.toSorted()).toEqual(upTo(9));
    const stopThird = await deploy(3);
    await stopSecond();
    const { position } = await store.appendToStream('Payment-1', [{ type: 'Paid', data: 10 }]);
    await expect
      .poll(() => projector.status('out'), { timeout: 30_000 })
      .toMatchObject({ shards: 3, position, applied: 10 });
    expect(published.toSorted((one, other) => Number(one) - Number(other))).toEqual(upTo(10));
    await stopThird();
  }, 120_000);

  it.each([
    ['where its checkpoint is', 'checkpoint', [1, 2, 3, 4]],
    ['with the first event', 'beginning', [1, 2, 3, 1, 2, 3, 4]],
    ['with what comes', 'end', [1, 2, 3]],
    ['behind a position', 2, [1, 2, 3, 3, 4]],
  ] as const)(
    'goes on in a store with another id when it is told to: %s',
    async (_what, from, expected) => {
      const taskQueue = uniqueName('publishing');
      const { projection, published } = collecting();
      const projector = new ProjectionClient({ client, taskQueue });
      const [before, restored] = [new MemoryEventStore(), new MemoryEventStore()];
      const { checkpoints } = before;
      const deploy = (store: MemoryEventStore) =>
        startWorker({
          taskQueue,
          plugins: [new EventStorePlugin({ store, checkpoints, projections: [projection] })],
        });
      const stop = await deploy(before);
      await projector.start('out');
      await projector.waitFor('out', await pay(before, 3));
      await stop();
      await pay(restored, 4);
      onTestFinished(await deploy(restored));
      await expect
        .poll(() => projector.status('out'), { timeout: 20_000 })
        .toMatchObject({ state: 'failed', lastError: expect.stringContaining(`rebase('out'`) as string });

      await projector.rebase('out', { from, ...by });
      await projector.waitFor('out', 4);
      expect(published).toEqual(expected);
      expect(await projector.status('out')).toMatchObject({ state: 'running', position: 4 });
    },
    120_000,
  );

  it('goes on after its store was given another id, when it is resumed, if its checkpoints are there', async () => {
    const store = new MemoryEventStore();
    const given: { storeId?: string } = {};
    // As of a store whose rotateStoreId was called.
    const readAll: typeof store.readAll = async (options) => {
      const slice = await store.readAll<never>(options);
      return { ...slice, ...given };
    };
    const rotated = new Proxy(store, {
      get: (target, key) => {
        const value: unknown = key === 'readAll' ? readAll : Reflect.get(target, key, target);
        return typeof value === 'function' ? (value.bind(target) as unknown) : value;
      },
    });
    const { projection, published } = collecting();
    let resets = 0;
    const index = defineProjection({
      name: 'index',
      handlePage: () => undefined,
      reset: () => {
        resets++;
      },
    });
    const projector = await usePublishers(rotated, [projection, index]);
    for (const name of ['out', 'index']) await projector.start(name);
    const position = await pay(store, 3);
    for (const name of ['out', 'index']) await projector.waitFor(name, position);
    given.storeId = 'rotated';
    await store.appendToStream('Payment-1', [{ type: 'Paid', data: 4 }]);
    for (const name of ['out', 'index']) {
      await expect.poll(() => projector.status(name), { timeout: 20_000 }).toMatchObject({ state: 'failed' });
      await projector.resume(name);
    }
    await projector.waitFor('out', position + 1);
    expect(published).toEqual([1, 2, 3, 4]);
    // What it has made of events that are lost can't be known: it is emptied, and filled again.
    await expect
      .poll(() => projector.status('index'), { timeout: 20_000 })
      .toMatchObject({ state: 'failed' });
    await projector.rebuild('index');
    const rebuilt = { state: 'running', position: position + 1 };
    await expect.poll(() => projector.status('index'), { timeout: 20_000 }).toMatchObject(rebuilt);
    expect(resets).toBe(1);
  }, 60_000);

  it('goes on in an old backup under the same id, when it is told from where', async () => {
    const taskQueue = uniqueName('publishing');
    const { projection, published } = collecting();
    const projector = new ProjectionClient({ client, taskQueue });
    const [before, backup] = [new MemoryEventStore(), new MemoryEventStore()];
    const { checkpoints } = before;
    const { storeId } = await before.readAll();
    const readAll = backup.readAll.bind(backup);
    backup.readAll = async (options) => ({ ...(await readAll<never>(options)), storeId });
    const deploy = (store: MemoryEventStore) =>
      startWorker({
        taskQueue,
        plugins: [new EventStorePlugin({ store, checkpoints, projections: [projection] })],
      });
    const stop = await deploy(before);
    await projector.start('out');
    await projector.waitFor('out', await pay(before, 5));
    await stop();
    const position = await pay(backup, 2);
    onTestFinished(await deploy(backup));
    await expect.poll(() => projector.status('out'), { timeout: 20_000 }).toMatchObject({ state: 'failed' });
    await expect(projector.rebase('out', { from: 'checkpoint', ...by })).rejects.toMatchObject({
      message: expect.stringMatching(/checkpoint 5 .* is at 2/) as string,
    });
    await projector.rebase('out', { from: 'end', ...by });
    await backup.appendToStream('Payment-1', [{ type: 'Paid', data: 'new' }]);
    await projector.waitFor('out', position + 1);
    expect(published).toEqual([...upTo(5), 'new']);
  }, 60_000);

  it('goes past an event that is not in the way, and back, when it is told to', async () => {
    const store = new MemoryEventStore();
    const { projection, published } = collecting();
    const projector = await usePublishers(store, [projection]);
    await projector.start('out');
    await projector.pause('out');
    const position = await pay(store, 3);
    expect(await projector.rebase('out', { from: 'end', ...by })).toMatchObject({
      state: 'paused',
      position,
    });
    await projector.rebase('out', { from: 1, ...by });
    await projector.resume('out');
    await projector.waitFor('out', position);
    expect(published).toEqual([2, 3]);
    // A name that was used before goes on from its checkpoint, and begins anew when it is told to.
    await projector.rebase('out', { from: 'beginning', ...by });
    await projector.waitFor('out', position);
    expect(published).toEqual([2, 3, 1, 2, 3]);
  });

  it('is not led to where events would be passed over, nor by nobody, nor with a read model', async () => {
    const store = new MemoryEventStore();
    const { projection } = collecting();
    const sink = new MemoryProjectionSink(() => ({}));
    const projector = await usePublishers(store, [
      projection,
      definePublisher({ name: 'kept', sink, publisher: { publish: async () => undefined } }),
    ]);
    await projector.start('out');
    await projector.start('kept');
    await pay(store, 3);
    const refused = (says: RegExp) => ({
      code: 'INVALID_ARGUMENT',
      message: expect.stringMatching(says) as string,
    });
    await expect(projector.rebase('out', { from: 4, ...by })).rejects.toMatchObject({
      ...refused(/position 4 .* is at 3/),
      code: 'POSITION_AHEAD_OF_STORE',
    });
    await expect(projector.rebase('kept', { from: 'end', ...by })).rejects.toMatchObject(
      refused(/rebuild it/),
    );
    expect(() => projector.rebase('out', { from: 'start' as 'end', ...by })).toThrow(/'beginning'/);
    expect(() => projector.rebase('out', { from: 'end', operator: 'Ann' } as never)).toThrow(/reason/);
    await projector.waitFor('out', 3);
  });

  it('that hangs stops with a reason, and does what an operator says meanwhile', async () => {
    const store = new MemoryEventStore();
    let isHanging = true;
    const published: unknown[] = [];
    const hung = new Set<() => void>();
    const projector = await usePublishers(store, [
      definePublisher({
        name: 'out',
        maxAttempts: 2,
        handlerTimeout: 1_000,
        publisher: {
          publish: async (events) => {
            if (isHanging) await new Promise<void>((resolve) => hung.add(resolve));
            published.push(...events.map(({ data }) => data));
          },
        },
      }),
    ]);
    const position = await pay(store, 1);
    await projector.start('out');
    await expect.poll(() => hung.size).toBe(1);
    expect(await projector.pause('out')).toMatchObject({ state: 'paused', position: 0 });
    await projector.resume('out');
    const late = expect.stringContaining('not done after 1000 ms') as string;
    await expect
      .poll(() => projector.status('out'), { timeout: 20_000, interval: 200 })
      .toMatchObject({ state: 'waiting', waitsFor: late });
    await expect
      .poll(() => projector.status('out'), { timeout: 20_000 })
      .toMatchObject({
        state: 'blocked',
        position: 0,
        blocked: { attempts: 2, error: late },
      });
    isHanging = false;
    const [{ eventId } = { eventId: '' }] = await projector.parked('out');
    await projector.retry('out', eventId);
    await projector.waitFor('out', position);
    expect(published).toEqual([1]);
    for (const end of hung) end();
    expect(await projector.status('out')).toMatchObject({ position, applied: 1 });
  });

  it('shows what it has applied to whoever asks, also after another worker has taken over', async () => {
    const store = new MemoryEventStore();
    const taskQueue = uniqueName('publishing');
    const projector = new ProjectionClient({ client, taskQueue });
    const plugins = () => [new EventStorePlugin({ store, projections: [collecting().projection] })];
    const stop = await startWorker({ taskQueue, plugins: plugins() });
    await projector.start('out');
    await projector.waitFor('out', await pay(store, 5));
    expect(await projector.status('out')).toMatchObject({ applied: 5 });
    await stop();
    await useWorker({ taskQueue, plugins: plugins() });
    expect(await projector.status('out')).toMatchObject({ applied: 5 });
  });
});

describe('a worker that is killed in the middle of a page', () => {
  /** Workers in processes of their own, of which one lives. See test/support/mortal-publisher.ts. */
  function useMortalWorker(taskQueue: string, env: NodeJS.ProcessEnv): { replace(): Promise<void> } {
    let child: ChildProcess | undefined;
    return {
      replace: async () => {
        child?.kill('SIGKILL');
        child = await forkWorker(new URL('../support/mortal-publisher.ts', import.meta.url), {
          taskQueue,
          workflowsPath: readyMadeWorkflows,
          env,
        });
      },
    };
  }

  it('leaves nothing unpublished and no order broken: a page may come again', async () => {
    const store = new MemoryEventStore();
    const [storeServer, checkpointServer] = [await serveStore(store), await serveStore(store.checkpoints)];
    onTestFinished(() => storeServer.close());
    onTestFinished(() => checkpointServer.close());
    const taskQueue = uniqueName('publishing');
    const killAt = [30, 75];
    const receiver = await useReceiver((_, number) => {
      // It came, but who sent it never learns.
      if (killAt.includes(number)) void worker.replace();
      return { status: 204 };
    });
    const worker = useMortalWorker(taskQueue, {
      STORE_URL: storeServer.url,
      CHECKPOINTS_URL: checkpointServer.url,
      WEBHOOK_URL: receiver.url,
      SECRET: secret,
    });
    await pay(store, 100, 7);
    await worker.replace();
    const projector = new ProjectionClient({ client, taskQueue });
    await projector.start('webhook', { heartbeatTimeout: 2_000 });
    await projector.waitFor('webhook', 100, { timeout: 110_000 });

    expect(receiver.deliveries.length).toBeGreaterThan(100);
    // In the order of their first coming, each is there.
    expect([...new Set(receiver.accepted)]).toEqual(upTo(100));
    // And each page that came again came in order.
    const steps = receiver.accepted.map(
      (data, index) => Number(data) - Number(receiver.accepted[index - 1] ?? 0),
    );
    expect(steps.filter((step) => step !== 1)).toHaveLength(killAt.length);
    expect(steps.every((step) => step === 1 || (step <= 0 && step > -20))).toBe(true);
  }, 120_000);
});
