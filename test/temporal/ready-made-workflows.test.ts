import type { Client } from '@temporalio/client';
import { findEventStoreError, type RecordedEvent } from 'temporal-event-store';
import {
  createAggregateActivities,
  createEventStoreActivities,
  type EventPublisher,
} from 'temporal-event-store/activities';
import { MemoryEventStore } from 'temporal-event-store/memory';
import { beforeAll, describe, expect, it } from 'vitest';
import { Account, counter } from '../support/account.js';
import { connectClient, uniqueName, useWorker, workflowsModule } from '../support/temporal.js';
import { expectWorkerLog, largePayload } from '../support/worker-log.js';

expectWorkerLog(
  largePayload,
  / Activity failed Error: the broker is away/,
  / failed \w+: Stream 'Account-1' was expected not to exist/,
  / failed \w+: Position 5 is ahead of the store/,
  / failed \w+: The aggregate 'Unheard' is not registered/,
  / failed \w+: The state would be \d+ bytes of JSON/,
  / Workflow failed Error: The input of \w+ must be one object/,
  / Workflow failed Error: .*(has no (input|option)|must be (a string|one of|an integer)|is empty|which JSON drops|nor an ISO 8601)/,
);

let client: Client;

beforeAll(async () => {
  client = await connectClient();
});

interface LogEntry {
  readonly message: string;
  readonly attributes: Record<string, unknown> | undefined;
}

async function serve(publisher?: EventPublisher) {
  const store = new MemoryEventStore();
  const taskQueue = uniqueName('ready-made');
  const log: LogEntry[] = [];
  const write = (message: string, attributes?: Record<string, unknown>) => log.push({ message, attributes });
  const logger = { debug: write, info: write, warn: write, error: write };
  await useWorker({
    taskQueue,
    workflowsPath: workflowsModule('exactly-once'),
    activities: {
      ...createEventStoreActivities({ store, logger, ...(publisher && { appendPublisher: publisher }) }),
      ...createAggregateActivities({
        store,
        aggregates: [Account, counter],
        snapshots: store.snapshots,
        logger,
      }),
    },
  });
  const run = <T>(type: string, input?: unknown): Promise<T> =>
    client.workflow.execute<(input: unknown) => Promise<T>>(type, {
      taskQueue,
      workflowId: uniqueName(type),
      args: [input],
      workflowExecutionTimeout: '30 seconds',
    });
  return { store, run, log };
}

const opened = { type: 'Opened', data: { owner: 'ann' } };
const deposited = (amount: number) => ({ type: 'Deposited', data: { amount } });

describe('eventStoreAppend', () => {
  it('persists, then publishes the recorded events', async () => {
    const published: RecordedEvent[] = [];
    const { store, run } = await serve({ publish: async (events) => void published.push(...events) });
    const result = await run('eventStoreAppend', { streamId: 'Account-1', events: [opened, deposited(5)] });

    expect(result).toMatchObject({ streamId: 'Account-1', version: 2, deduplicated: false });
    expect(published).toEqual((await store.readStream('Account-1')).events);
  });

  it('tries a failing publisher again, and stores the events once', async () => {
    let calls = 0;
    const { store, run } = await serve({
      publish: async () => {
        if (++calls < 3) throw new Error('the broker is away');
      },
    });
    await run('eventStoreAppend', { streamId: 'Account-1', events: [opened] });

    expect(calls).toBe(3);
    expect((await store.readStream('Account-1')).version).toBe(1);
  });

  it('publishes a repeated commit again: at least once', async () => {
    const published: string[] = [];
    const { run } = await serve({
      publish: async (events) => void published.push(...events.map((event) => event.id)),
    });
    const input = { streamId: 'Account-1', events: [opened], options: { commitId: 'c' } };
    const first = await run<{ eventIds: string[] }>('eventStoreAppend', input);
    const again = await run('eventStoreAppend', input);

    expect(again).toEqual({ ...first, deduplicated: true });
    expect(published).toEqual([...first.eventIds, ...first.eventIds]);
  });

  it('logs the stream, the number of events, the expected version and the duration', async () => {
    const { run, log } = await serve();
    await run('eventStoreAppend', {
      streamId: 'Account-1',
      events: [opened],
      options: { expectedVersion: 'noStream' },
    });
    await run('eventStoreAppend', {
      streamId: 'Account-1',
      events: [opened],
      options: { expectedVersion: 'noStream' },
    }).catch(() => undefined);

    expect(log).toMatchObject([
      {
        message: 'Append to stream',
        attributes: { streamId: 'Account-1', events: 1, expectedVersion: 'noStream', version: 1 },
      },
      { message: 'Append to stream failed', attributes: { streamId: 'Account-1', code: 'VERSION_CONFLICT' } },
    ]);
    for (const { attributes } of log) expect(attributes?.['durationMs']).toBeTypeOf('number');
  });
});

describe('the ready-made queries', () => {
  it('read streams, all events and commits, count, and follow trends', async () => {
    const { store, run } = await serve();
    const occurredAt = '2024-03-05T10:00:00Z';
    const first = await store.appendToStream('Account-1', [{ ...opened, occurredAt }], { commitId: 'c' });
    await store.appendToStream('Account-2', [{ ...opened, occurredAt }]);

    expect(await run('eventStoreReadStream', { streamId: 'Account-1', limit: 10 })).toEqual(
      await store.readStream('Account-1'),
    );
    expect(await run('eventStoreReadAll', { filter: { types: ['Opened'] } })).toEqual(await store.readAll());
    expect(await run('eventStoreReadAll')).toEqual(await store.readAll());
    expect(await run('eventStoreFindCommit', { streamId: 'Account-1', commitId: 'c' })).toEqual({
      ...first,
      deduplicated: true,
    });
    expect((await run('eventStoreFindCommit', { streamId: 'Account-1', commitId: 'x' })) ?? undefined).toBe(
      undefined,
    );
    expect(await run('eventStoreStatistics', { filter: { categories: ['Account'] } })).toMatchObject({
      total: 2,
      streams: 2,
    });
    expect(await run('eventStoreTrends', { interval: 'day' })).toEqual([
      { start: '2024-03-05T00:00:00.000Z', count: 2 },
    ]);
  });

  it('cap a page by its bytes, and still come to every event', async () => {
    const { store, run } = await serve();
    const text = 'x'.repeat(100_000);
    const big = 'x'.repeat(1_900_000);
    for (const data of [text, text, text, big, text]) {
      await store.appendToStream('Log-1', [{ type: 'Noted', data }]);
    }
    const pages: number[] = [];
    for (let fromVersion = 1, isEnd = false; !isEnd;) {
      const slice = await run<{ events: RecordedEvent[]; isEnd: boolean }>('eventStoreReadStream', {
        streamId: 'Log-1',
        fromVersion,
      });
      pages.push(slice.events.length);
      fromVersion += slice.events.length;
      isEnd = slice.isEnd;
    }
    const positions: number[] = [];
    for (let after = 0, isEnd = false; !isEnd;) {
      const slice = await run<{ events: RecordedEvent[]; position: number; isEnd: boolean }>(
        'eventStoreReadAll',
        { after },
      );
      positions.push(...slice.events.map((event) => event.position));
      after = slice.position;
      isEnd = slice.isEnd;
    }

    expect(pages).toEqual([2, 1, 1, 1]);
    expect(positions).toEqual([1, 2, 3, 4, 5]);
  });
});

describe('eventStoreReplay', () => {
  it('rebuilds the state of an aggregate at any version or moment', async () => {
    const { store, run } = await serve();
    await store.appendToStream('Account-1', [
      { ...opened, occurredAt: '2024-01-01T00:00:00Z' },
      { ...deposited(5), occurredAt: '2024-02-01T00:00:00Z' },
      { ...deposited(7), occurredAt: '2024-03-01T00:00:00Z' },
    ]);
    const input = { aggregate: 'Account', id: '1' };

    expect(await run('eventStoreReplay', input)).toEqual({
      version: 3,
      state: { owner: 'ann', balance: 12 },
    });
    expect(await run('eventStoreReplay', { ...input, toVersion: 2 })).toEqual({
      version: 2,
      state: { owner: 'ann', balance: 5 },
    });
    expect(await run('eventStoreReplay', { ...input, until: '2024-02-15T00:00:00Z' })).toMatchObject({
      version: 2,
    });
    expect(await run('eventStoreReplay', { ...input, until: '2023-01-01T00:00:00Z' })).toEqual({
      version: 0,
      state: { owner: '', balance: 0 },
    });
    expect(await run('eventStoreReplay', { ...input, id: 'none' })).toMatchObject({ version: 0 });
  });

  it('begins with a snapshot where the present state is asked for, and only there', async () => {
    const { store, run } = await serve();
    const input = { aggregate: 'Account', id: '1' };
    await store.appendToStream('Account-1', [
      { ...deposited(5), occurredAt: '2024-01-01T00:00:00Z' },
      { ...deposited(7), occurredAt: '2024-02-01T00:00:00Z' },
      { ...deposited(9), occurredAt: '2024-03-01T00:00:00Z' },
    ]);
    // Not what the events say, so that it shows.
    await store.snapshots.save('Account-1', { name: 'Account', version: 1 }, 2, {
      owner: '',
      balance: 1_000,
    });

    expect(await run('eventStoreReplay', input)).toMatchObject({ version: 3, state: { balance: 1_009 } });
    expect(await run('eventStoreReplay', { ...input, toVersion: 2 })).toMatchObject({
      version: 2,
      state: { balance: 12 },
    });
    expect(await run('eventStoreReplay', { ...input, until: '2024-02-15T00:00:00Z' })).toMatchObject({
      version: 2,
      state: { balance: 12 },
    });
  });

  it('refuses a state that is too large to travel', async () => {
    const { store, run } = await serve();
    const state = { owner: 'x'.repeat(2_100_000), balance: 0 };
    await store.appendToStream('Account-1', [opened]);
    await store.snapshots.save('Account-1', { name: 'Account', version: 1 }, 1, state);

    const error: unknown = await run('eventStoreReplay', { aggregate: 'Account', id: '1' }).catch(
      (thrown: unknown) => thrown,
    );

    expect(findEventStoreError(error, 'EVENT_TOO_LARGE')).toBeDefined();
  });

  it('rebuilds the state of a decider', async () => {
    const { store, run } = await serve();
    await store.appendToStream('Counter-1', [
      { type: 'Counted', data: { by: 2 } },
      { type: 'Counted', data: { by: 3 } },
    ]);
    expect(await run('eventStoreReplay', { aggregate: 'Counter', id: '1' })).toEqual({
      version: 2,
      state: { total: 5 },
    });
  });
});

it.each([
  ['eventStoreAppend', undefined, 'INVALID_ARGUMENT'],
  ['eventStoreAppend', 'rubbish', 'INVALID_ARGUMENT'],
  ['eventStoreAppend', { streamId: 'Account-1' }, 'INVALID_ARGUMENT'],
  ['eventStoreAppend', { streamId: 'Account-1', events: [{ type: 'T' }] }, 'INVALID_EVENT'],
  ['eventStoreAppend', { streamId: 'Account-1', events: [opened], expectedVersion: 1 }, 'INVALID_ARGUMENT'],
  ['eventStoreReadStream', {}, 'INVALID_ARGUMENT'],
  ['eventStoreReadStream', { streamId: 'A', until: 7 }, 'INVALID_ARGUMENT'],
  ['eventStoreReadAll', [], 'INVALID_ARGUMENT'],
  ['eventStoreReadAll', { after: 5 }, 'POSITION_AHEAD_OF_STORE'],
  ['eventStoreFindCommit', { streamId: 'A' }, 'INVALID_ARGUMENT'],
  ['eventStoreStatistics', { filter: { type: 'T' } }, 'INVALID_ARGUMENT'],
  ['eventStoreTrends', undefined, 'INVALID_ARGUMENT'],
  ['eventStoreTrends', { interval: 'year' }, 'INVALID_ARGUMENT'],
  ['eventStoreReplay', { aggregate: 'Unheard', id: '1' }, 'INVALID_ARGUMENT'],
  ['eventStoreReplay', { aggregate: 'Account', id: '1', toVersion: -1 }, 'INVALID_ARGUMENT'],
  ['eventStoreReplay', { aggregate: 'Account', id: '1', until: 'soon' }, 'INVALID_ARGUMENT'],
])('%s fails at %j with %s', async (type, input, code) => {
  const { run } = await serve();
  const error = await run(type, input).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(findEventStoreError(error)?.code).toBe(code);
});
