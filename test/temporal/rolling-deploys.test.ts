import type { Client } from '@temporalio/client';
import { AggregateRoot, defineEvents, withEvents, type DomainEvent } from 'temporal-event-store';
import { AggregateClient, TemporalEventStore } from 'temporal-event-store/client';
import { MemoryEventStore } from 'temporal-event-store/memory';
import { EventStorePlugin } from 'temporal-event-store/worker';
import { beforeAll, describe, expect, it } from 'vitest';
import { connectClient, uniqueName, useWorker, workflowsModule } from '../support/temporal.js';
import { expectWorkerLog } from '../support/worker-log.js';

expectWorkerLog(
  /A stream is left to a worker of a newer release .*knows up to 1/,
  /No worker knew a command/,
);

type AccountEvent = DomainEvent<'Opened' | 'Closed', object>;

/** What all of them know. */
abstract class Openable extends AggregateRoot<AccountEvent> {
  static readonly commands: Readonly<Record<string, boolean>> = { open: true };
  open(): void {
    this.raise({ type: 'Opened', data: {} });
  }
  protected apply(): void {
    // No rule depends on the state.
  }
}
/** The release before. */
class OldAccount extends Openable {
  static readonly category = 'Account';
}
/** Knows a command more. */
class NewAccount extends OldAccount {
  static override readonly commands = { open: true, close: true };
  close(): void {
    this.raise({ type: 'Closed', data: {} });
  }
}
class Invoice extends Openable {
  static readonly category = 'Invoice';
}
const oldEvents = defineEvents({ Opened: {} });
const newEvents = defineEvents({
  Opened: { schemaVersion: 2, upcast: { 1: (data: object) => data } },
  Closed: {},
});

let client: Client;
beforeAll(async () => {
  client = await connectClient();
});

/** Workers of both releases on one queue. */
async function useReleases({ old = 1, fresh = 1 }: { readonly old?: number; readonly fresh?: number } = {}) {
  const store = new MemoryEventStore();
  const taskQueue = uniqueName('rolling');
  const workflowsPath = workflowsModule('rolling-deploys');
  const work = async (count: number, plugin: EventStorePlugin): Promise<void> => {
    for (let number = 0; number < count; number++) {
      await useWorker({ taskQueue, workflowsPath, plugins: [plugin] });
    }
  };
  const deploy = (count: number): Promise<void> =>
    work(
      count,
      new EventStorePlugin({ store: withEvents(store, newEvents), aggregates: [NewAccount, Invoice] }),
    );
  await work(old, new EventStorePlugin({ store: withEvents(store, oldEvents), aggregates: [OldAccount] }));
  await deploy(fresh);
  const accounts = new AggregateClient({ client, aggregate: NewAccount, taskQueue });
  const invoices = new AggregateClient({ client, aggregate: Invoice, taskQueue });
  return { store, taskQueue, accounts, invoices, deploy };
}

describe('while a release is rolled out', () => {
  it('a new command is decided by a worker that knows it, in its place among those to its aggregate', async () => {
    const { store, accounts } = await useReleases();
    const ids = Array.from({ length: 10 }, (_, number) => `${number}`);
    await Promise.all(
      ids.flatMap((id) => [
        accounts.execute(id, 'open'),
        accounts.execute(id, 'close'),
        accounts.execute(id, 'open'),
      ]),
    );
    for (const id of ids) {
      const { events } = await store.readStream(`Account-${id}`);
      expect(events.map(({ type }) => type)).toEqual(['Opened', 'Closed', 'Opened']);
    }
  });

  it('one new worker among nine old ones is found', async () => {
    const { accounts, invoices } = await useReleases({ old: 9 });
    const closed = Array.from({ length: 5 }, (_, number) => accounts.execute(`${number}`, 'close'));
    expect(await Promise.all(closed)).toHaveLength(5);
    expect(await invoices.execute('1', 'open')).toMatchObject({ version: 1 });
  });

  it('an event of the new release is met by old workers, who leave its aggregate to the new', async () => {
    const { store, taskQueue, deploy } = await useReleases({ old: 3, fresh: 0 });
    const accounts = new AggregateClient({
      client,
      aggregate: NewAccount,
      taskQueue,
      lanes: 'per-aggregate',
    });
    // So the lane is an old worker's.
    await accounts.execute('1', 'open');
    await deploy(1);
    await withEvents(store, newEvents).appendToStream('Account-1', [{ type: 'Opened', data: {} }]);
    for (const version of [3, 4, 5]) expect(await accounts.execute('1', 'open')).toMatchObject({ version });
    const replayed = await new TemporalEventStore({ client, taskQueue }).replay({
      aggregate: 'Account',
      id: '1',
    });
    expect(replayed.version).toBe(5);
  });

  it('a workflow sends a new command, and has an aggregate replayed that old workers do not know', async () => {
    const { taskQueue } = await useReleases({ old: 3 });
    const sent = await client.workflow.execute<(id: string) => Promise<readonly number[]>>('sendToBoth', {
      taskQueue,
      workflowId: uniqueName('sends'),
      args: ['9'],
    });
    expect(sent).toEqual([1, 1]);
    const replayed = await new TemporalEventStore({ client, taskQueue }).replay({
      aggregate: 'Invoice',
      id: '9',
    });
    expect(replayed.version).toBe(1);
  });
});

describe('a command that no worker knows, or whose aggregate has an event that is newer than all workers', () => {
  it('is refused after ten seconds with what is known, holds nobody up, and is answered where it is stored', async () => {
    const { store, accounts, taskQueue } = await useReleases({ fresh: 0 });
    await store.appendToStream('Account-stored', [{ type: 'Closed', data: {} }], { commitId: 'close-1' });
    const anybody = new AggregateClient({ client, aggregate: { category: 'Account' }, taskQueue });
    await store.appendToStream('Account-newer', [{ type: 'Opened', data: {}, schemaVersion: 2 }]);
    const began = performance.now();
    const tooNew = accounts.execute('newer', 'open').catch((error: unknown) => error);
    const refused = anybody.execute('1', 'rename').catch((error: unknown) => error);
    const stored = accounts.execute('stored', 'close', undefined, { commandId: 'close-1' });
    for (const id of ['2', '3', '4']) {
      expect(await accounts.execute(id, 'open')).toMatchObject({ version: 1 });
    }
    expect(performance.now() - began).toBeLessThan(8_000);

    expect(await refused).toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringContaining('is not in its list of commands: open') as string,
    });
    expect(performance.now() - began).toBeGreaterThan(9_000);
    expect(await tooNew).toMatchObject({ code: 'EVENT_TOO_NEW', streamId: 'Account-newer' });
    // A worker that has left had decided it.
    expect(await stored).toMatchObject({ version: 1, deduplicated: true });
    expect(await anybody.execute('1', 'open')).toMatchObject({ version: 1 });
  });
});
