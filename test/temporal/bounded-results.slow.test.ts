import type { Client } from '@temporalio/client';
import {
  defineProjection,
  RetryLaterError,
  type DomainEvent,
  type ProjectionDefinition,
} from 'temporal-event-store';
import { ProjectionClient, TemporalEventStore } from 'temporal-event-store/client';
import { MemoryEventStore, MemoryProjectionSink } from 'temporal-event-store/memory';
import { EventStorePlugin } from 'temporal-event-store/worker';
import { beforeAll, describe, expect, it } from 'vitest';
import { connectClient, uniqueName, useWorker, workflowsModule } from '../support/temporal.js';
import { allowWorkerLog, expectWorkerLog, largePayload } from '../support/worker-log.js';

expectWorkerLog(/ failed \w+: The (trends|statistics|result) would be \d+ bytes of JSON/);
allowWorkerLog(
  largePayload,
  /^WARN activity: Projection waits/,
  /^WARN (activity: Verify build|worker: Activity) failed .*'verify'/,
);

const tooLarge = { code: 'EVENT_TOO_LARGE', message: expect.stringContaining('bytes of JSON') as string };
const hour = 3_600_000;

let client: Client;
let memory: MemoryEventStore;
beforeAll(async () => {
  client = await connectClient();
  memory = new MemoryEventStore({ maxCommitBytes: 10_000_000 });
  // 100,000 of one stream, of which one commit has half, and as many categories.
  const happened = (count: number) => Array.from({ length: count }, () => ({ type: 'Happened', data: {} }));
  await memory.appendToStream('Log-1', happened(60_000), { commitId: 'large' });
  for (let index = 0; index < 40; index++) await memory.appendToStream('Log-1', happened(1_000));
  for (let index = 0; index < 100_000; index++) {
    await memory.appendToStream(`Category with a long name ${index}-1`, [
      { type: 'Counted', data: {}, occurredAt: new Date(index * hour).toISOString(), tags: ['counted'] },
    ]);
  }
});

async function useStore(): Promise<{ store: TemporalEventStore; taskQueue: string }> {
  const taskQueue = uniqueName('bounded');
  const workflowsPath = workflowsModule('bounded-results');
  await useWorker({ taskQueue, workflowsPath, plugins: [new EventStorePlugin({ store: memory })] });
  return { store: new TemporalEventStore({ client, taskQueue }), taskQueue };
}

describe('with 100,000 events, a workflow answers in bounded pages or says what is too large', () => {
  it('when it reads a stream, or all', async () => {
    const { store } = await useStore();
    const stream = await store.readStream('Log-1', { limit: 100_000 });
    expect(stream).toMatchObject({ version: 100_000, isEnd: false });
    expect(JSON.stringify(stream).length).toBeLessThan(300_000);
    const all = await store.readAll({ limit: 100_000 });
    expect(all).toMatchObject({ isEnd: false, position: all.events.at(-1)?.position });
    expect(JSON.stringify(all).length).toBeLessThan(300_000);
  });

  it('when it counts', async () => {
    const { store } = await useStore();
    await expect(store.statistics()).rejects.toMatchObject(tooLarge);
    expect(await store.statistics({ filter: { types: ['Happened'] } })).toMatchObject({ total: 100_000 });
    const filter = (hours: number) => ({
      tags: ['counted'],
      occurredFrom: new Date(0),
      occurredTo: new Date((hours - 1) * hour),
    });
    // What is just small enough: it travels in the history and as the result.
    expect(await store.trends({ interval: 'hour', filter: filter(44_000) })).toHaveLength(44_000);
    await expect(store.trends({ interval: 'hour', filter: filter(60_000) })).rejects.toMatchObject(tooLarge);
    expect(await store.trends({ interval: 'day', filter: filter(100_000) })).toHaveLength(4_167);
  });

  it('when it looks for a commit', async () => {
    const { store } = await useStore();
    await expect(store.findCommit('Log-1', 'large')).rejects.toMatchObject(tooLarge);
  });

  it('when it appends: nothing is sent', async () => {
    const { store, taskQueue } = await useStore();
    const many = Array.from({ length: 50_000 }, () => ({ type: 'Happened', data: {} }));
    await expect(store.appendToStream('Log-2', many)).rejects.toMatchObject(tooLarge);
    const said = await client.workflow.execute<(count: number) => Promise<string>>('appendMany', {
      taskQueue,
      workflowId: uniqueName('many'),
      args: [50_000],
    });
    expect(said).toBe('EVENT_TOO_LARGE');
    expect((await memory.readStream('Log-2')).version).toBe(0);
  });
});

describe('a projection answers, however long the errors are', () => {
  const long = '\u0001'.repeat(5_000_000);

  async function useFailing(definition: Partial<ProjectionDefinition<DomainEvent, object>>) {
    const store = new MemoryEventStore();
    const projection = defineProjection<DomainEvent, object>({
      name: 'failing',
      sink: new MemoryProjectionSink<object>(() => ({})),
      maxAttempts: 1,
      handlers: {
        Happened: () => {
          throw new Error(long);
        },
      },
      ...definition,
    });
    const taskQueue = uniqueName('bounded');
    await useWorker({ taskQueue, plugins: [new EventStorePlugin({ store, projections: [projection] })] });
    const projector = new ProjectionClient({ client, taskQueue });
    for (let index = 0; index < 300; index++) {
      await store.appendToStream(`${'x'.repeat(980)}-${index}`, [{ type: 'Happened', data: {} }]);
    }
    await projector.start('failing');
    return projector;
  }

  it('of parked events', async () => {
    const projector = await useFailing({ onPoison: 'park' });
    await projector.waitFor('failing', 300);
    const parked = await projector.parked('failing');
    expect(parked.length).toBeGreaterThan(10);
    expect(JSON.stringify(parked).length).toBeLessThan(300_000);
  });

  it('of the event that blocks it', async () => {
    const projector = await useFailing({});
    await expect.poll(() => projector.status('failing')).toMatchObject({ state: 'blocked' });
  });

  it('of what it waits for', async () => {
    const handlers = {
      Happened: () => {
        throw new RetryLaterError(long);
      },
    };
    const projector = await useFailing({ handlers });
    await expect
      .poll(() => projector.status('failing'), { timeout: 10_000 })
      .toMatchObject({ waitsFor: expect.stringContaining('RetryLater') as string });
  });

  it('of a hook', async () => {
    const verify = (): never => {
      throw new Error(long);
    };
    const projector = await useFailing({ handlers: { Happened: () => undefined }, verify });
    await projector.rebuild('failing');
    await expect
      .poll(() => projector.status('failing'), { timeout: 20_000 })
      .toMatchObject({ rebuild: { phase: 'failed', error: expect.stringContaining("'verify'") as string } });
  });
});
