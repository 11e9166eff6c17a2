import type { Client } from '@temporalio/client';
import {
  DomainError,
  StoreUnavailableError,
  type CommandReceipt,
  type EventStore,
  type MultiStreamAppends,
} from 'temporal-event-store';
import type { CommandLaneOptions } from 'temporal-event-store/activities';
import {
  AggregateClient,
  TemporalEventStore,
  type AggregateClientOptions,
} from 'temporal-event-store/client';
import { MemoryEventStore } from 'temporal-event-store/memory';
import { EventStorePlugin } from 'temporal-event-store/worker';
import { beforeAll, describe, expect, it } from 'vitest';
import { enrol, ofCourse, opened } from '../support/enrolment.js';
import { gate, withAfterAppend } from '../support/gated-store.js';
import { connectClient, uniqueName, useWorker, workflowsModule } from '../support/temporal.js';
import { deposited, Purse, vault } from '../support/transfers.js';
import { expectWorkerLog } from '../support/worker-log.js';

expectWorkerLog(
  /The store gave no answer to the commands of a (decision|stream) .*The answer is lost/,
  /A command of a decision failed .*event \d, 'Broken' of 'Course-broken', failed with TypeError/,
  / Workflow failed Error: 'home' of the decision 'enrol' failed/,
  / failed \w+: 'enrol' is a decision/,
  / failed \w+: No outcome in 1600 ms/,
  / Workflow failed Error: 'enrol' is a decision/,
);

let client: Client;
beforeAll(async () => {
  client = await connectClient();
});

type AnyStore = EventStore & Partial<MultiStreamAppends>;

interface Setting {
  /** What the worker uses in place of the store. */
  readonly over?: (store: MemoryEventStore) => AnyStore;
  readonly commandLanes?: CommandLaneOptions;
  readonly aggregate?: typeof enrol;
}

async function useCourses({ over = (store) => store, commandLanes = {}, aggregate = enrol }: Setting = {}) {
  const store = new MemoryEventStore();
  const taskQueue = uniqueName('decisions');
  const aggregates = [aggregate, Purse, vault];
  await useWorker({
    taskQueue,
    workflowsPath: workflowsModule('decisions'),
    plugins: [new EventStorePlugin({ store: over(store), aggregates, commandLanes })],
  });
  const sender = (options: Partial<AggregateClientOptions<typeof enrol>> = {}) =>
    new AggregateClient({ client, aggregate, taskQueue, ...options });
  const open = (course: string, seats: number) =>
    store.appendToStream(`Course-${course}`, [opened(course, seats)]);
  const students = async (course: string): Promise<number> =>
    (await store.readAll({ filter: { types: ['Enrolled'], tags: ofCourse(course) }, limit: 1_000 })).events
      .length;
  return { store, taskQueue, sender, open, students };
}

/** A store whose first reply to an append gets lost. */
const forgetful = (store: MemoryEventStore): AnyStore =>
  withAfterAppend(store, (call) => {
    if (call === 1) throw new StoreUnavailableError('The answer is lost');
  });

describe('a command of a decision', () => {
  it('goes by the lane of its tag, and its receipt says what it led to', async () => {
    const { store, taskQueue, sender, open } = await useCourses();
    await open('a', 1);

    const receipt = await sender({ lanes: 'per-aggregate' }).execute(
      'enrol',
      { course: 'A', student: 'ann' },
      { commandId: 'first', metadata: { actor: 'Ann' } },
    );

    const { events } = await store.readStream('Enrolment-a-ann');
    expect(receipt).toEqual({
      version: 1,
      position: 2,
      events: [{ id: events[0]?.id, type: 'Enrolled' }],
      deduplicated: false,
    });
    const workflowId = `event-store/commands/${taskQueue}/enrol/course:a`;
    const { runId } = await client.workflow.getHandle(workflowId).describe();
    const metadata = { actor: 'Ann', causationId: 'first', workflowId, runId };
    expect(events).toMatchObject([{ commitId: 'first', metadata }]);
  });

  it('takes effect only if the rule holds, whoever asks at the same time and writes around the lanes', async () => {
    const { store, sender, open, students } = await useCourses();
    await open('a', 10);
    const senders = [sender(), sender({ lanes: 4 }), sender({ lanes: 'per-aggregate' })];

    const calls = Array.from({ length: 60 }, (_, index) =>
      senders[index % 3]!.execute('enrol', { course: 'a', student: `${index}` }),
    );
    // Another service, by itself.
    await store.appendToStream('Enrolment-a-x', [
      { type: 'Enrolled', data: { student: 'x' }, tags: ofCourse('a') },
    ]);
    const outcomes = await Promise.allSettled(calls);

    const rejected = outcomes.flatMap((outcome): unknown =>
      outcome.status === 'rejected' ? outcome.reason : [],
    );
    expect(rejected).toHaveLength(51);
    for (const error of rejected) {
      expect(error).toBeInstanceOf(DomainError);
      expect(error).toMatchObject({ reason: 'COURSE_FULL' });
    }
    expect(await students('a')).toBe(10);
  });

  it('takes effect once, however often it is sent', async () => {
    const { sender, open, students } = await useCourses();
    await open('a', 1);
    const send = (from: ReturnType<typeof sender>): Promise<CommandReceipt> =>
      from.execute('enrol', { course: 'a', student: 'ann' }, { commandId: 'the-one' });
    const [one, other] = [sender(), sender({ lanes: 3 })];

    const receipts = await Promise.all([send(one), send(one), send(other)]);
    // The course is full by now.
    receipts.push(await send(sender({ lanes: 5 })));

    expect(receipts.filter(({ deduplicated }) => !deduplicated)).toHaveLength(1);
    for (const receipt of receipts) expect(receipt).toMatchObject({ version: 1, position: 2 });
    await expect(
      other.execute('enrolSlowly', { course: 'a', student: 'ann' }, { commandId: 'the-one' }),
    ).rejects.toMatchObject({ code: 'COMMIT_MISMATCH' });
    expect(await students('a')).toBe(1);
  });

  it('takes effect once when the reply of the store is lost', async () => {
    const { sender, open, students } = await useCourses({ over: forgetful });
    await open('a', 1);
    const receipt = await sender().execute('enrol', { course: 'a', student: 'ann' });
    expect(receipt).toMatchObject({ version: 1, deduplicated: true });
    expect(await students('a')).toBe(1);
  });

  it('that can not be decided fails by itself, and holds up no other of its lane', async () => {
    const { store, sender, open } = await useCourses({
      aggregate: {
        ...enrol,
        filter: (command) => ({ tags: ofCourse(command.data.course) }),
        evolve(state, event, command) {
          if ((event.type as string) === 'Broken') throw new TypeError('No rule');
          return enrol.evolve(state, event, command);
        },
      },
    });
    await open('fine', 5);
    await store.appendToStream('Course-broken', [{ type: 'Broken', data: null, tags: ofCourse('broken') }]);
    const courses = sender({ lanes: 1 });

    const [broken, failed, fine] = await Promise.allSettled([
      courses.execute('enrol', { course: 'broken', student: 'ann' }),
      courses.execute('fail', { course: 'fine', student: 'bob' }),
      courses.execute('enrol', { course: 'fine', student: 'ann' }),
    ]);

    expect(broken).toMatchObject({
      reason: {
        code: 'COMMAND_FAILED',
        message: expect.stringContaining(`event 2, 'Broken' of 'Course-broken', failed`) as unknown,
      },
    });
    expect(failed).toMatchObject({ reason: { code: 'COMMAND_FAILED' } });
    expect(fine).toMatchObject({ value: { version: 1 } });
  });

  it('that takes too long fails for certain, and the others of its lane are answered meanwhile', async () => {
    const slow = gate();
    const { sender, open, students } = await useCourses({
      commandLanes: { batchTimeout: 2_500 },
      aggregate: {
        ...enrol,
        async decide(state, command) {
          if (command.type === 'enrolSlowly') await slow.opened;
          return enrol.decide(state, command);
        },
      },
    });
    await Promise.all([open('slow', 5), open('fine', 5)]);
    const courses = sender({ lanes: 1 });
    const order: string[] = [];
    const late = courses
      .execute('enrolSlowly', { course: 'slow', student: 'ann' })
      .catch((error: unknown) => error)
      .finally(() => order.push('late'));
    await courses.execute('enrol', { course: 'fine', student: 'ann' });
    order.push('fine');
    expect(await late).toMatchObject({
      code: 'COMMAND_FAILED',
      message: expect.stringContaining('took longer than 2500 ms') as unknown,
    });
    slow.open();
    expect(order).toEqual(['fine', 'late']);
    expect(await courses.execute('enrol', { course: 'slow', student: 'bob' })).toMatchObject({ version: 1 });
    expect(await students('slow')).toBe(1);
  });

  it('is refused before it is sent, when it is called as one to an aggregate, or does not fit', async () => {
    const courses = new AggregateClient({ client, aggregate: enrol, taskQueue: uniqueName('nobody') });
    const execute = courses.execute.bind(courses) as (...args: unknown[]) => Promise<unknown>;
    const data = { course: 'a', student: 'ann' };
    for (const [args, message] of [
      [['7', 'enrol', data], 'without an id'],
      [['7', 'enrol', data, {}], 'without an id'],
      [['leave', data], `'leave' of enrol is not in its list of commands`],
      [[data], 'without an id'],
      [['enrol', { course: 'a' }], 'payload'],
    ] as const) {
      await expect(execute(...args)).rejects.toMatchObject({
        code: 'INVALID_ARGUMENT',
        message: expect.stringContaining(message) as unknown,
      });
    }
    const purses = new AggregateClient({ client, aggregate: Purse, taskQueue: uniqueName('nobody') });
    await expect(
      (purses.execute as (...args: unknown[]) => unknown).call(purses, 'transfer', {}),
    ).rejects.toThrow('execute(id, name, payload, options)');
    const aggregate = { ...enrol, name: 'enrol-now' };
    expect(() => new AggregateClient({ client, aggregate, taskQueue: 'any' })).toThrow(
      `letters, digits and '_'`,
    );
  });

  it('belongs to a decision, which has no state to look at', async () => {
    const { taskQueue, sender } = await useCourses();
    const message = {
      code: 'INVALID_ARGUMENT',
      message: expect.stringContaining('is a decision') as unknown,
    };
    await expect((sender().state as (id: string) => unknown).call(sender(), 'a')).rejects.toMatchObject(
      message,
    );
    const replay = new TemporalEventStore({ client, taskQueue }).replay({ aggregate: 'enrol', id: 'a' });
    await expect(replay).rejects.toMatchObject(message);
  });
});

describe('while a release is rolled out', () => {
  it('a decision that old workers do not know is left to the new one', async () => {
    const taskQueue = uniqueName('rolling');
    const store = new MemoryEventStore();
    for (let old = 0; old < 3; old++) {
      await useWorker({ taskQueue, plugins: [new EventStorePlugin({ store, aggregates: [Purse] })] });
    }
    await useWorker({ taskQueue, plugins: [new EventStorePlugin({ store, aggregates: [Purse, enrol] })] });
    await store.appendToStream('Course-a', [opened('a', 3)]);
    const courses = new AggregateClient({ client, aggregate: enrol, taskQueue });
    const enrolled = Array.from({ length: 5 }, (_, index) =>
      courses.execute('enrol', { course: 'a', student: `${index}` }),
    );
    const outcomes = await Promise.allSettled(enrolled);
    expect(outcomes.map(({ status }) => status).sort()).toEqual([
      'fulfilled',
      'fulfilled',
      'fulfilled',
      'rejected',
      'rejected',
    ]);
  });
});

describe('a workflow', () => {
  const run = <T>(type: string, taskQueue: string, ...args: string[]): Promise<T> =>
    client.workflow.execute(type, { taskQueue, workflowId: uniqueName('enrols'), args }) as Promise<T>;

  it('sends commands of a decision, each an activity, and gets typed errors', async () => {
    const { taskQueue, open } = await useCourses();
    await open('a', 1);
    const [first, second] = await run<CommandReceipt[]>('enrolTwice', taskQueue, 'a', 'ann');
    expect(first).toMatchObject({ version: 1, position: 2, deduplicated: false });
    expect(second).toMatchObject({ version: 1, position: 2, events: [], deduplicated: false });
    expect(await run('enrolOr', taskQueue, 'a', 'bob')).toBe('The course is full');
    await expect(run('enrolNobody', taskQueue)).rejects.toMatchObject({
      cause: { message: expect.stringContaining(`'home' of the decision 'enrol' failed`) as unknown },
    });
  });

  it('has a command take effect once when an attempt is lost after the append', async () => {
    const late = gate();
    const { taskQueue, open, students } = await useCourses({
      over: (inner) => withAfterAppend(inner, (call) => (call === 1 ? late.opened : undefined)),
    });
    await open('a', 1);
    const handle = await client.workflow.start('enrolOr', {
      taskQueue,
      workflowId: uniqueName('enrols'),
      args: ['a', 'ann'],
    });
    await expect
      .poll(async () => (await handle.describe()).raw.pendingActivities?.[0]?.attempt, { timeout: 8_000 })
      .toBe(2);
    late.open();
    expect(await handle.result()).toBe('enrolled');
    expect(await students('a')).toBe(1);
  });
});

describe.each([
  ['a class', Purse],
  ['a decider', vault],
])('a transfer between streams by the lane of %s', (_of, aggregate) => {
  it('takes effect in both or in none, once, with a receipt of both', async () => {
    const { store, taskQueue } = await useCourses();
    const { category } = aggregate;
    await store.appendToStream(`${category}-1`, [deposited(5)]);
    const from = (lanes: number) =>
      new AggregateClient({ client, aggregate: aggregate as typeof Purse, taskQueue, lanes });
    const transfer = { cents: 3, to: '2' };

    const receipt = await from(1).execute('1', 'transfer', transfer, { commandId: 't' });
    const again = await from(2).execute('1', 'transfer', transfer, { commandId: 't' });
    await expect(from(1).execute('1', 'transfer', transfer)).rejects.toBeInstanceOf(DomainError);

    const { events } = await store.readAll({ after: 1 });
    expect(events.map(({ streamId, type }) => `${streamId} ${type}`)).toEqual([
      `${category}-1 Withdrawn`,
      `${category}-2 Deposited`,
    ]);
    expect(receipt).toEqual({
      version: 2,
      position: 3,
      events: events.map(({ id, type }) => ({ id, type })),
      deduplicated: false,
    });
    expect(again).toEqual({ ...receipt, deduplicated: true });
    expect(await from(1).state('1')).toEqual({ version: 2, state: { cents: 2 } });
  });

  it('neither loses nor makes money, amid the appends of others and lost replies', async () => {
    const { store, taskQueue } = await useCourses({ over: forgetful });
    const { category } = aggregate;
    const ids = ['1', '2', '3'];
    for (const id of ids) await store.appendToStream(`${category}-${id}`, [deposited(50)]);
    const sender = new AggregateClient({ client, aggregate: aggregate as typeof Purse, taskQueue });

    const transfers = Array.from({ length: 60 }, (_, index) =>
      sender.execute(ids[index % 3]!, 'transfer', { cents: 1 + (index % 7), to: ids[(index + 1) % 3]! }),
    );
    for (const id of ids) await store.appendToStream(`${category}-${id}`, [deposited(10)]);
    await Promise.allSettled(transfers);

    const { events } = await store.readAll({ limit: 1_000 });
    const sum = events.reduce((total, { type, data }) => {
      const { cents } = data as { cents: number };
      return total + (type === 'Deposited' ? cents : -cents);
    }, 0);
    expect(sum).toBe(180);
    for (const id of ids) {
      expect((await sender.state(id)).state).toMatchObject({ cents: expect.any(Number) as number });
    }
  });
});
