import type { Client, WorkflowHandle } from '@temporalio/client';
import { StoreUnavailableError, type EventStore } from 'temporal-event-store';
import { createEventStoreActivities } from 'temporal-event-store/activities';
import { MemoryEventStore } from 'temporal-event-store/memory';
import { beforeAll, describe, expect, it } from 'vitest';
import { gate, withAfterAppend, type AfterAppend } from '../support/gated-store.js';
import { connectClient, uniqueName, useWorker, workflowsModule } from '../support/temporal.js';
import { expectWorkerLog } from '../support/worker-log.js';

expectWorkerLog(
  / failed \w+: connection lost/,
  / failed TypeError: socket hang up/,
  / failed \w+: Stream 'Account-1' was expected to be at version/,
  / Workflow failed Error: Not this time/,
);

let client: Client;

beforeAll(async () => {
  client = await connectClient();
});

/** A worker over a memory store, whose replies to appends may be tampered with. */
async function serve(
  afterAppend: AfterAppend = () => undefined,
): Promise<{ store: MemoryEventStore; taskQueue: string }> {
  const store = new MemoryEventStore();
  const taskQueue = uniqueName('exactly-once');
  await useWorker({
    taskQueue,
    workflowsPath: workflowsModule('exactly-once'),
    activities: createEventStoreActivities({ store: withAfterAppend(store, afterAppend) }),
  });
  return { store, taskQueue };
}

async function waitsForSecondAttempt(handle: WorkflowHandle): Promise<void> {
  await expect.poll(async () => (await handle.describe()).raw.pendingActivities?.[0]?.attempt).toBe(2);
}

async function stepsOf(store: MemoryEventStore, id: string): Promise<number[]> {
  const { events } = await store.readStream(`Log-${id}`);
  return events.map((event) => (event.data as { step: number }).step);
}

describe('commands of a workflow to one aggregate at the same time', () => {
  it('take effect one after the other, without timers, and none inside of another', async () => {
    const { store, taskQueue } = await serve();
    const handle = await client.workflow.start('depositAtOnce', {
      taskQueue,
      workflowId: uniqueName('at-once'),
      args: ['1', 4],
    });

    expect(await handle.result()).toContain(`inside a command to the same stream, 'Account-1'`);
    expect((await store.readStream('Account-1')).version).toBe(4);
    const { events = [] } = await handle.fetchHistory();
    expect(events?.filter((event) => event.timerStartedEventAttributes)).toEqual([]);
  });
});

describe('an append in a workflow', () => {
  it.each([
    ['the store says that it is unavailable', () => new StoreUnavailableError('connection lost')],
    ['the adapter throws an error of its own', () => new TypeError('socket hang up')],
  ])('is stored once when its reply is lost because %s', async (_what, error) => {
    const { store, taskQueue } = await serve((call) => {
      if (call <= 2) throw error();
    });
    const deduplicated: unknown = await client.workflow.execute('appendOnce', {
      taskQueue,
      workflowId: uniqueName('once'),
      args: ['1'],
    });

    expect(deduplicated).toBe(true);
    expect(await stepsOf(store, '1')).toEqual([1]);
  });

  it('is stored once when an attempt times out after it was stored', async () => {
    const late = gate();
    const { store, taskQueue } = await serve((call) => (call === 1 ? late.opened : undefined));
    await client.workflow.execute('appendOnce', { taskQueue, workflowId: uniqueName('once'), args: ['1'] });
    late.open();

    expect(await stepsOf(store, '1')).toEqual([1]);
  });

  it('is stored once when the workflow is reset to each of its tasks, the first included', async () => {
    const { store, taskQueue } = await serve();
    const workflowId = uniqueName('reset');
    const first = await client.workflow.start('appendThrice', { taskQueue, workflowId, args: ['1'] });
    expect(await first.result()).toBe(3);

    const { runId } = (await first.describe()) as { runId: string };
    const history = await first.fetchHistory();
    const tasks = (history.events ?? []).filter((event) => event.workflowTaskCompletedEventAttributes);
    expect(tasks.length).toBeGreaterThanOrEqual(5);
    for (const task of tasks) {
      await client.workflowService.resetWorkflowExecution({
        namespace: client.options.namespace,
        workflowExecution: { workflowId, runId },
        workflowTaskFinishEventId: task.eventId ?? null,
        requestId: crypto.randomUUID(),
        reason: 'test',
      });
      const reset = client.workflow.getHandle(workflowId);
      expect(await reset.result()).toBe(3);
      expect((await reset.describe()).runId).not.toBe(runId);
    }

    expect(await stepsOf(store, '1')).toEqual([1, 2, 3]);
    expect(await store.readStream('Account-1')).toMatchObject({ version: 1 });
  });

  it('counts as another one after continue-as-new', async () => {
    const { store, taskQueue } = await serve();
    await client.workflow.execute('appendAndContinueAsNew', {
      taskQueue,
      workflowId: uniqueName('can'),
      args: ['1', 3],
    });
    expect(await stepsOf(store, '1')).toEqual([3, 2, 1]);
  });

  it('counts as another one when the workflow id is used again', async () => {
    const { store, taskQueue } = await serve();
    const workflowId = uniqueName('again');
    for (let run = 0; run < 2; run++) {
      expect(await client.workflow.execute('appendOnce', { taskQueue, workflowId, args: ['1'] })).toBe(false);
    }
    expect(await stepsOf(store, '1')).toEqual([1, 1]);
  });

  it('counts as another one when the whole workflow is tried again', async () => {
    const { store, taskQueue } = await serve();
    await client.workflow.execute('appendAndFail', {
      taskQueue,
      workflowId: uniqueName('retry'),
      args: ['1'],
      retry: { initialInterval: '10 milliseconds' },
    });
    expect(await stepsOf(store, '1')).toEqual([1, 2, 3]);
  });

  it('that is under way when the workflow is cancelled ends with the truth', async () => {
    const stored = gate();
    const reply = gate();
    const { store, taskQueue } = await serve((call) => {
      stored.open();
      return call === 1 ? reply.opened : undefined;
    });
    const handle = await client.workflow.start('appendWhileCancelled', {
      taskQueue,
      workflowId: uniqueName('cancel'),
      args: ['1'],
    });
    await stored.opened;
    await handle.cancel();
    reply.open();

    expect(await handle.result()).toBe('stored');
    expect(await stepsOf(store, '1')).toEqual([1]);
  });

  it.each([
    [
      'stored by an attempt whose reply was lost is not cancelled with its workflow',
      'appendWhileCancelled',
      'stored',
    ],
    ['stored by an attempt whose reply was lost is told in spite of its signal', 'abortAppend', 1],
  ])('%s', async (_what, workflow, outcome) => {
    const { store, taskQueue } = await serve((call) => {
      if (call === 1) throw new StoreUnavailableError('connection lost');
    });
    const handle = await client.workflow.start(workflow, {
      taskQueue,
      workflowId: uniqueName('cancel'),
      args: ['1', { isPatient: true }],
    });
    await waitsForSecondAttempt(handle);
    if (workflow === 'abortAppend') await handle.signal('abort');
    else await handle.cancel();

    expect(await handle.result()).toBe(outcome);
    expect(await stepsOf(store, '1')).toEqual([1]);
  });

  it('that no attempt has stored when the workflow is cancelled stores nothing', async () => {
    let isAway = true;
    const memory = new MemoryEventStore();
    const store: EventStore = {
      ...withAfterAppend(memory, () => undefined),
      appendToStream: (...args) =>
        isAway
          ? Promise.reject(new StoreUnavailableError('connection lost'))
          : memory.appendToStream(...args),
    };
    const taskQueue = uniqueName('exactly-once');
    const activities = createEventStoreActivities({ store });
    await useWorker({ taskQueue, workflowsPath: workflowsModule('exactly-once'), activities });
    const handle = await client.workflow.start('appendWhileCancelled', {
      taskQueue,
      workflowId: uniqueName('cancel'),
      args: ['1', { isPatient: true }],
    });
    await waitsForSecondAttempt(handle);
    isAway = false;
    await handle.cancel();

    expect(await handle.result()).toBe('not stored');
    expect(await stepsOf(memory, '1')).toEqual([]);
  });

  it('of which nobody can say what became of it says so, when the workflow is cancelled', async () => {
    const { taskQueue } = await serve();
    const handle = await client.workflow.start('appendWhileCancelled', {
      taskQueue,
      workflowId: uniqueName('cancel'),
      args: ['1', { taskQueue: uniqueName('nobody') }],
    });
    await expect.poll(async () => (await handle.describe()).raw.pendingActivities?.length).toBe(1);
    await handle.cancel();

    expect(await handle.result()).toMatch(/^unknown: .+/);
  });

  it('in a cancelled scope stores nothing', async () => {
    const { store, taskQueue } = await serve();
    const outcome: unknown = await client.workflow.execute('appendInCancelledScope', {
      taskQueue,
      workflowId: uniqueName('scope'),
      args: ['1'],
    });
    expect(outcome).toBe('cancelled');
    expect(await stepsOf(store, '1')).toEqual([]);
  });
});

it('a read in a workflow ends with the reason of its signal', async () => {
  const { taskQueue } = await serve();
  const message: unknown = await client.workflow.execute('abortRead', {
    taskQueue,
    workflowId: uniqueName('abort'),
  });
  expect(message).toBe('taken too long');
});
