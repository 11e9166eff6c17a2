import type { Client } from '@temporalio/client';
import { AggregateRepository, withEvents } from 'temporal-event-store';
import { TemporalEventStore } from 'temporal-event-store/client';
import { MemoryEventStore } from 'temporal-event-store/memory';
import { EventStorePlugin } from 'temporal-event-store/worker';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { exclaimed, Group, trimmed } from '../support/group.js';
import { connectClient, uniqueName, useWorker, workflowsModule } from '../support/temporal.js';
import { expectWorkerLog } from '../support/worker-log.js';

expectWorkerLog(/Append to stream failed/, / failed \w+: .* made by a schema of the caller/);

let client: Client;
let memory: MemoryEventStore;
let taskQueue: string;

beforeAll(async () => {
  client = await connectClient();
});

beforeEach(() => {
  memory = new MemoryEventStore();
  taskQueue = uniqueName('schemas');
});

async function serve(events: typeof trimmed): Promise<void> {
  await useWorker({
    taskQueue,
    workflowsPath: workflowsModule('schemas'),
    plugins: [new EventStorePlugin({ store: withEvents(memory, events) })],
  });
}

async function stored(): Promise<string[]> {
  const { events } = await memory.readStream('Group-1');
  return events.map(({ data }) => (data as { email: string }).email);
}

async function join(events: 'trimmed' | 'exclaimed' | 'unknown', ...emails: string[]): Promise<unknown> {
  return client.workflow.execute('joinAll', {
    taskQueue,
    workflowId: uniqueName('join'),
    args: ['1', events, emails],
  });
}

describe('an aggregate in a workflow', () => {
  it('decides on what the schemas of the store make of its events, when it is given them', async () => {
    await serve(trimmed);
    expect(await join('trimmed', ' ann ', 'bob')).toEqual(['ann', 'bob']);
    expect(await join('trimmed', ' eve', 'eve')).toEqual(['DOMAIN_ERROR']);
    expect(await stored()).toEqual(['ann', 'bob', 'eve']);
  });

  it('decides no more, when the worker has changed what it saved', async () => {
    await serve(trimmed);
    expect(await join('unknown', 'ann', 'bob')).toEqual(['ann', 'bob']);
    expect(await join('unknown', ' eve', 'eve')).toEqual(['INVALID_ARGUMENT']);
    expect(await stored()).toEqual(['ann', 'bob', 'eve']);
  });

  it('is refused what the worker would change a second time', async () => {
    await serve(exclaimed);
    expect(await join('exclaimed', 'ann')).toEqual(['INVALID_EVENT']);
    expect(await stored()).toEqual([]);
    expect(await join('unknown', 'ann')).toEqual(['ann']);
    expect(await stored()).toEqual(['ann!']);
  });
});

describe('an aggregate behind a Temporal client', () => {
  const groupsIn = (events?: typeof trimmed): AggregateRepository<Group> => {
    const store = new TemporalEventStore({ client, taskQueue });
    return new AggregateRepository(events ? withEvents(store, events) : store, Group);
  };

  it('decides on what the schemas around the store make of its events', async () => {
    await serve(trimmed);
    const groups = groupsIn(trimmed);
    const group = await groups.load('1');
    group.join(' ann ');
    await groups.save(group);
    expect(() => {
      group.join('ann');
    }).toThrow('Taken');
    expect(await stored()).toEqual(['ann']);
  });

  it('decides no more, when the worker has changed what it saved', async () => {
    await serve(trimmed);
    const groups = groupsIn();
    const group = await groups.load('1');
    group.join(' ann ');
    expect(await groups.save(group)).toMatchObject({ changedBySchema: true });
    expect(() => {
      group.join('bob');
    }).toThrow(/Load it again/);
  });

  it('is refused what the worker would change a second time', async () => {
    await serve(exclaimed);
    await expect(
      groupsIn(exclaimed).execute('1', (group) => {
        group.join('ann');
      }),
    ).rejects.toMatchObject({
      code: 'INVALID_EVENT',
      path: 'events[0].data.email',
    });
    expect(await stored()).toEqual([]);
  });
});
