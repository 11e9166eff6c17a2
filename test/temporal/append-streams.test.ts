import type { Client } from '@temporalio/client';
import {
  findEventStoreError,
  StoreUnavailableError,
  withEvents,
  type EventStore,
  type MultiStreamAppends,
  type RecordedEvent,
} from 'temporal-event-store';
import { createEventStoreActivities, type EventPublisher } from 'temporal-event-store/activities';
import { cachingEventStore } from 'temporal-event-store/cache';
import { TemporalEventStore } from 'temporal-event-store/client';
import { MemoryEventStore } from 'temporal-event-store/memory';
import { beforeAll, describe, expect, it } from 'vitest';
import { gate, withAfterAppend, type AfterAppend } from '../support/gated-store.js';
import { trimmed } from '../support/group.js';
import {
  connectClient,
  shortWorkflowTasks,
  startWorker,
  uniqueName,
  useWorker,
  workflowsModule,
} from '../support/temporal.js';
import { expectWorkerLog } from '../support/worker-log.js';

expectWorkerLog(
  / failed \w+: connection lost/,
  / failed TypeError: socket hang up/,
  / failed Error: the broker is away/,
  / failed \w+: The append depends on events up to position \d+, but '(Taken|Joined)' of stream '\w+-\d'/,
  / failed \w+: The append depends on events up to position \d+, but 'Withdrawn' of stream 'From-1'/,
  / Workflow failed Error: The append depends on events up to position/,
  / failed \w+: The commit 'c' of stream 'From-1' holds other events/,
  / failed \w+: The store of this worker can't append to several streams/,
  / failed \w+: appends\[1\]\.events\[0\]\.data\.email was made by a schema of the caller/,
  / Workflow failed Error: .*(must be one object|has no input|needs a list of at least one append|twice|must be the last slice)/,
  /eventStoreAppendStreams is not registered on this Worker/,
  /no such function is exported by the workflow bundle/,
);

let client: Client;
beforeAll(async () => {
  client = await connectClient();
});

const transfer = [
  { streamId: 'From-1', events: [{ type: 'Withdrawn', data: {} }] },
  { streamId: 'To-1', events: [{ type: 'Deposited', data: {} }] },
];
const taken = { types: ['Taken'], tags: ['email:ann'] };
const take = { type: 'Taken', data: {}, tags: taken.tags };

interface Serving {
  readonly afterAppend?: AfterAppend;
  readonly publisher?: EventPublisher;
  /** What the worker has around its store in memory. */
  readonly around?: (store: MemoryEventStore) => EventStore;
}

async function serve({ afterAppend, publisher, around = (store) => store }: Serving = {}) {
  const memory = new MemoryEventStore();
  const taskQueue = uniqueName('streams');
  const store = afterAppend === undefined ? around(memory) : withAfterAppend(memory, afterAppend);
  await useWorker({
    taskQueue,
    workflowsPath: workflowsModule('exactly-once'),
    activities: createEventStoreActivities({
      store,
      ...(publisher !== undefined && { appendPublisher: publisher }),
    }),
  });
  const start = (workflow: string, ...args: readonly unknown[]) =>
    client.workflow.start<(...args: unknown[]) => Promise<unknown>>(workflow, {
      taskQueue,
      workflowId: uniqueName(workflow),
      args: [...args],
    });
  const run = async (...call: Parameters<typeof start>): Promise<unknown> => (await start(...call)).result();
  return { memory, taskQueue, start, run, remote: new TemporalEventStore({ client, taskQueue }) };
}

async function versionsOf(store: MemoryEventStore): Promise<readonly number[]> {
  const slices = await Promise.all(transfer.map(({ streamId }) => store.readStream(streamId)));
  return slices.map(({ version }) => version);
}

async function settledEnd(store: MemoryEventStore) {
  const { settled } = await store.readAll();
  if (settled === undefined) throw new Error('Not read to its end.');
  return settled;
}

function rejection(call: Promise<unknown>): Promise<unknown> {
  return call.then(
    () => expect.fail('The call went through.'),
    (error: unknown) => error,
  );
}

describe('an append to several streams by a workflow', () => {
  it.each([
    ['the store says that it is unavailable', () => new StoreUnavailableError('connection lost')],
    ['the adapter throws an error of its own', () => new TypeError('socket hang up')],
  ])('is stored once when its reply is lost because %s', async (_what, error) => {
    const { memory, run } = await serve({
      afterAppend: (call) => {
        if (call <= 2) throw error();
      },
    });
    expect(await run('transferOnce', '1')).toMatchObject({
      deduplicated: true,
      parts: transfer.map(({ streamId }) => ({ streamId, version: 1, deduplicated: true })),
    });
    expect(await versionsOf(memory)).toEqual([1, 1]);
  });

  it('is stored once when an attempt times out after it was stored', async () => {
    const late = gate();
    const { memory, run } = await serve({ afterAppend: (call) => (call === 1 ? late.opened : undefined) });
    await run('transferOnce', '1');
    late.open();

    expect(await versionsOf(memory)).toEqual([1, 1]);
  });

  it.each(['is cancelled', 'has its signal aborted'])(
    'that an attempt has stored whose reply was lost counts as stored when it %s',
    async (how) => {
      const { memory, start } = await serve({
        afterAppend: (call) => {
          if (call === 1) throw new StoreUnavailableError('connection lost');
        },
      });
      const handle = await start('transferWhileCancelled', '1');
      await expect.poll(async () => (await handle.describe()).raw.pendingActivities?.[0]?.attempt).toBe(2);
      if (how === 'is cancelled') await handle.cancel();
      else await handle.signal('abortTransfer');

      expect(await handle.result()).toBe('stored in 2 streams');
      expect(await versionsOf(memory)).toEqual([1, 1]);
    },
  );

  it.each([
    ['is cancelled', 'not stored'],
    ['has its signal aborted', 'taken too long'],
  ])('that no attempt has stored stores nothing when it %s', async (how, outcome) => {
    let isAway = true;
    const { memory, start } = await serve({
      around: (store) => {
        const around: EventStore & MultiStreamAppends = {
          ...withAfterAppend(store, () => undefined),
          appendToStreams: (...args) =>
            isAway
              ? Promise.reject(new StoreUnavailableError('connection lost'))
              : store.appendToStreams(...args),
        };
        return around;
      },
    });
    const handle = await start('transferWhileCancelled', '1');
    await expect.poll(async () => (await handle.describe()).raw.pendingActivities?.[0]?.attempt).toBe(2);
    isAway = false;
    if (how === 'is cancelled') await handle.cancel();
    else await handle.signal('abortTransfer');

    expect(await handle.result()).toBe(outcome);
    expect(await versionsOf(memory)).toEqual([0, 0]);
  });

  it('holds what the schemas of its registry make of the events', async () => {
    const { memory, run } = await serve();
    expect(await run('joinBoth', ['ann', ' bob '])).toMatchObject({
      parts: [{ streamId: 'Group-1' }, { streamId: 'Group-2', changedBySchema: true }],
    });
    expect((await memory.readAll()).events.map(({ data }) => data)).toEqual([
      { email: 'ann' },
      { email: 'bob' },
    ]);
  });
});

describe('an append to several streams by a client', () => {
  it('lets the very same append join the one that is under way', async () => {
    const stored = gate();
    const reply = gate();
    const { memory, remote } = await serve({
      afterAppend: () => {
        stored.open();
        return reply.opened;
      },
    });
    const first = remote.appendToStreams(transfer, { commitId: 'c' });
    await stored.opened;
    const second = remote.appendToStreams(transfer, { commitId: 'c' });
    // The home stream alone is another append, which doesn't join: the store refuses it.
    await expect(remote.appendToStreams(transfer.slice(0, 1), { commitId: 'c' })).rejects.toMatchObject({
      code: 'COMMIT_MISMATCH',
      streamId: 'From-1',
    });
    reply.open();

    const result = await first;
    expect(result).toMatchObject({ commitId: 'c', deduplicated: false });
    expect(result.parts.map(({ streamId }) => streamId)).toEqual(['From-1', 'To-1']);
    expect(await second).toEqual({
      ...result,
      deduplicated: true,
      parts: result.parts.map((part) => ({ ...part, deduplicated: true })),
    });
    expect(await versionsOf(memory)).toEqual([1, 1]);
    const { events } = await memory.readAll();
    expect(events.map(({ metadata }) => metadata['commitStreams'])).toEqual([
      ['From-1', 'To-1'],
      ['From-1', 'To-1'],
    ]);
  });

  it('says that it may go through when nobody waits any more, as it does', async () => {
    const stored = gate();
    const reply = gate();
    const { memory, remote } = await serve({
      afterAppend: () => {
        stored.open();
        return reply.opened;
      },
    });
    const controller = new AbortController();
    const append = remote.appendToStreams(transfer, { commitId: 'c', signal: controller.signal });
    await stored.opened;
    controller.abort(new Error('no time'));

    await expect(append).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE', commitId: 'c' });
    reply.open();
    expect(await remote.appendToStreams(transfer, { commitId: 'c' })).toMatchObject({ deduplicated: true });
    expect(await versionsOf(memory)).toEqual([1, 1]);
  });

  it('is refused what the schemas of the worker would change a second time', async () => {
    const { memory, run } = await serve({ around: (store) => withEvents(store, trimmed) });
    const appends = ['ann', ' bob '].map((email, index) => ({
      streamId: `Group-${index}`,
      events: [{ type: 'Joined', data: { email } }],
    }));
    const error = await rejection(run('eventStoreAppendStreams', { appends, schemasApplied: true }));
    expect(findEventStoreError(error)).toMatchObject({
      code: 'INVALID_EVENT',
      path: 'appends[1].events[0].data.email',
    });
    expect((await memory.readAll()).position).toBe(0);
  });
});

describe('the workflow eventStoreAppendStreams', () => {
  it('publishes the events of all streams, in their order, before it ends, until that succeeds', async () => {
    const published: RecordedEvent[] = [];
    let calls = 0;
    const { memory, remote, run } = await serve({
      publisher: {
        publish: async (events) => {
          if (++calls === 2) throw new Error('the broker is away');
          published.push(...events);
        },
      },
    });
    await remote.appendToStreams(transfer, { commitId: 'c' });
    expect(published).toEqual((await memory.readAll()).events);

    // A repeat may follow a process that died before it published.
    await run('eventStoreAppendStreams', { appends: transfer, options: { commitId: 'c' } });
    expect(published).toHaveLength(4);

    const condition = { filter: taken, after: await settledEnd(memory) };
    await run('eventStoreAppend', { streamId: 'User-1', events: [take], options: { condition } });
    expect(published).toHaveLength(5);
  });

  it.each([
    [undefined],
    [{}],
    [{ appends: transfer, condition: {} }],
    [{ appends: [transfer[0], transfer[0]] }],
    [{ appends: transfer, options: { condition: { filter: {}, after: 5 } } }],
  ])('fails at %j with INVALID_ARGUMENT', async (input) => {
    const { memory, run } = await serve();
    const error = await rejection(run('eventStoreAppendStreams', input));
    expect(findEventStoreError(error)).toMatchObject({ code: 'INVALID_ARGUMENT' });
    expect(await versionsOf(memory)).toEqual([0, 0]);
  });
});

describe('a condition', () => {
  it('that fails is told with what is in the way, at the first attempt', async () => {
    let calls = 0;
    const { memory, remote, run } = await serve({
      around: (store) => ({
        ...withAfterAppend(store, () => undefined),
        appendToStreams: (...args: Parameters<MultiStreamAppends['appendToStreams']>) => {
          calls++;
          return store.appendToStreams(...args);
        },
      }),
    });
    const after = await settledEnd(memory);
    const { eventIds } = await memory.appendToStream('User-1', [take]);
    const conflict = { position: 1, streamId: 'User-1', type: 'Taken', id: eventIds[0] };
    const failed = { code: 'APPEND_CONDITION_FAILED', after: 0, conflict };
    const condition = { filter: taken, after };

    await expect(remote.appendToStream('User-2', [take], { condition })).rejects.toMatchObject(failed);
    await expect(remote.appendToStreams(transfer, { condition })).rejects.toMatchObject(failed);
    expect(await run('takeAddress', '3', after)).toEqual({ isTyped: true, after: 0, conflict });
    const input = { streamId: 'User-4', events: [take], options: { condition } };
    expect(findEventStoreError(await rejection(run('eventStoreAppend', input)))).toMatchObject(failed);
    expect(calls).toBe(4);
    expect((await memory.readAll()).position).toBe(1);
  });

  it('holds when workflows and clients race for one address', async () => {
    const { memory, remote, run } = await serve();
    const after = await settledEnd(memory);
    const outcomes = await Promise.all([
      ...['1', '2', '3'].map((user) => run('takeAddress', user, after)),
      ...['4', '5', '6'].map((user) =>
        remote
          .appendToStream(`User-${user}`, [take], { condition: { filter: taken, after } })
          .catch((error: unknown) => findEventStoreError(error)),
      ),
    ]);

    const { events } = await memory.readAll();
    expect(events).toHaveLength(1);
    const [{ id } = { id: '' }] = events;
    expect(outcomes.filter((outcome) => 'version' in (outcome as object))).toHaveLength(1);
    expect(
      outcomes.filter(
        (outcome) => (outcome as { readonly conflict?: { readonly id: string } }).conflict?.id === id,
      ),
    ).toHaveLength(5);
  });

  it('builds on a slice that a workflow has read', async () => {
    const { memory, run } = await serve();
    await memory.appendToStream('Log-1', [{ type: 'Happened', data: {} }]);
    expect(await run('takeUntaken', '1')).toMatchObject({ streamId: 'User-1', version: 1, position: 2 });
    expect((await run('takeUntaken', '2')) ?? undefined).toBe(undefined);
    expect(await run('transferUnderCondition', '1')).toBe('APPEND_CONDITION_FAILED');
    expect(await versionsOf(memory)).toEqual([1, 1]);
  });

  it('builds on a slice that went through decorators on both sides', async () => {
    const { memory, remote } = await serve({
      around: (store) => cachingEventStore(withEvents(store, trimmed)),
    });
    const groups = withEvents(cachingEventStore(remote), trimmed);
    const joined = { type: 'Joined' as const, data: { email: ' ann ' } };
    const condition = { filter: { types: ['Joined' as const] }, after: await groups.readAll() };
    const appends = ['Group-1', 'Group-2'].map((streamId) => ({ streamId, events: [joined] }));

    expect(await groups.appendToStreams(appends, { condition })).toMatchObject({
      parts: [{ changedBySchema: true }, { changedBySchema: true }],
    });
    await expect(groups.appendToStream('Group-3', [joined], { condition })).rejects.toMatchObject({
      code: 'APPEND_CONDITION_FAILED',
      after: 0,
    });
    const after = await groups.readAll();
    expect(after.settled).toEqual((await memory.readAll()).settled);
    expect(
      await groups.appendToStream('Group-3', [joined], { condition: { ...condition, after } }),
    ).toMatchObject({ position: 3 });
  });

  it('does not build on a page that was cut to travel', async () => {
    const { memory, remote } = await serve();
    const noted = { type: 'Noted', data: 'x'.repeat(200_000) };
    await memory.appendToStream('Log-1', [noted, noted]);
    const page = await remote.readAll();
    expect(page).toMatchObject({ isEnd: false, position: 1 });
    expect(page.settled).toBe(undefined);
    const appendAfter = (after: typeof page) =>
      remote.appendToStream('User-1', [take], { condition: { filter: {}, after } });
    await expect(appendAfter(page)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    expect(await appendAfter(await remote.readAll({ after: page.position }))).toMatchObject({ position: 3 });
  });
});

describe('a store on the worker that appends to one stream only', () => {
  it('is named as the reason, and takes no append under a condition', async () => {
    const { memory, remote, run } = await serve({
      around: (store) => {
        const { appendToStreams: _, ...others } = withAfterAppend(store, () => undefined);
        return others;
      },
    });
    const after = await settledEnd(memory);
    const refused = {
      code: 'INVALID_ARGUMENT',
      message: expect.stringContaining(`it has no 'appendToStreams'`) as unknown,
    };
    await expect(remote.appendToStreams(transfer)).rejects.toMatchObject(refused);
    await expect(
      remote.appendToStream('User-1', [take], { condition: { filter: taken, after } }),
    ).rejects.toMatchObject(refused);
    expect(findEventStoreError(await rejection(run('takeAddress', '1', after)))).toMatchObject(refused);
    expect((await memory.readAll()).position).toBe(0);
    expect(await remote.appendToStream('User-1', [take])).toMatchObject({ version: 1 });
  });
});

describe('a worker of the release before', () => {
  it('leaves the activity to one of the new release', async () => {
    const memory = new MemoryEventStore();
    const taskQueue = uniqueName('rollout');
    const workflowsPath = workflowsModule('exactly-once');
    const { eventStoreAppendStreams: _, ...before } = createEventStoreActivities({ store: memory });
    const stopOld = await startWorker({ taskQueue, workflowsPath, activities: before });
    const handle = await client.workflow.start('takeUntaken', {
      taskQueue,
      workflowId: uniqueName('take'),
      args: ['1'],
    });
    await expect
      .poll(async () => Number((await handle.describe()).raw.pendingActivities?.[0]?.attempt))
      .toBeGreaterThan(1);
    expect((await memory.readAll()).position).toBe(0);
    await useWorker({ taskQueue, workflowsPath, activities: createEventStoreActivities({ store: memory }) });
    expect(await handle.result()).toMatchObject({ streamId: 'User-1', version: 1, deduplicated: false });
    await stopOld();
  });

  it('leaves the append of a client to one of the new release', async () => {
    const memory = new MemoryEventStore();
    const taskQueue = uniqueName('rollout');
    const activities = createEventStoreActivities({ store: memory });
    const workflowsPath = workflowsModule('release-before');
    const stopOld = await startWorker({ taskQueue, workflowsPath, activities });
    const hasty = await connectClient({ interceptors: { workflow: [shortWorkflowTasks] } });
    const remote = new TemporalEventStore({ client: hasty, taskQueue });
    const condition = { filter: taken, after: await settledEnd(memory) };
    const append = remote.appendToStream('User-1', [take], { condition });
    const query = `TaskQueue = "${taskQueue}"`;
    const hasFailed = async (): Promise<boolean> => {
      for await (const { workflowId } of client.workflow.list({ query })) {
        const { events } = await client.workflow.getHandle(workflowId).fetchHistory();
        if (events?.some((event) => event.workflowTaskFailedEventAttributes)) return true;
      }
      return false;
    };
    await expect.poll(hasFailed, { timeout: 10_000 }).toBe(true);
    expect((await memory.readAll()).position).toBe(0);
    await useWorker({ taskQueue, workflowsPath: workflowsModule('exactly-once'), activities });
    await stopOld();
    expect(await append).toMatchObject({ streamId: 'User-1', version: 1, deduplicated: false });
  });
});
