import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import {
  AggregateRoot,
  defineEvents,
  StoreUnavailableError,
  withEvents,
  type DomainEvent,
  type EventStore,
  type ReadStreamOptions,
  type StoreCapabilities,
} from 'temporal-event-store';
import type { CommandLaneOptions } from 'temporal-event-store/activities';
import { AggregateClient } from 'temporal-event-store/client';
import { MemoryEventStore } from 'temporal-event-store/memory';
import { EventStorePlugin } from 'temporal-event-store/worker';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { gate } from '../support/gated-store.js';
import { connectClient, startWorker, uniqueName } from '../support/temporal.js';
import { expectWorkerLog } from '../support/worker-log.js';

expectWorkerLog(
  /The commands of a stream failed .*Account-broken.* can't be built: event 1, 'Renamed', failed with TypeError: No rule/,
  /The commands of a stream failed .*'Renamed' in 'Account-broken', version 1, can't be upcast/,
  /Snapshot not restored; the events are used .*An old shape/,
  /A command blocked the event loop .*"command":"compute"/,
  /The store gave no answer to the commands of a stream .*Account-away/,
);

let client: Client;
beforeAll(async () => {
  client = await connectClient();
});

type Opened = DomainEvent<'Opened', object> | DomainEvent<'Renamed', object>;

/** What its commands and events do beside what they should. */
interface Trouble {
  readonly decide?: (id: string) => Promise<unknown> | undefined;
  readonly apply?: (type: string) => void;
  readonly restore?: () => void;
}

/** One lane for all aggregates of a worker. */
async function useAccounts(
  trouble: Trouble = {},
  store: EventStore & Partial<StoreCapabilities> = new MemoryEventStore(),
  commandLanes: CommandLaneOptions = {},
) {
  class Account extends AggregateRoot<Opened> {
    static readonly category = 'Account';
    static readonly snapshotVersion = 1;
    static readonly commands = { open: true, fail: true, compute: true };
    async open(): Promise<void> {
      await trouble.decide?.(this.id);
      this.raise({ type: 'Opened', data: {} });
    }
    fail(): void {
      throw Object.create(null);
    }
    compute(): void {
      for (const began = performance.now(); performance.now() - began < 1_500;);
      this.raise({ type: 'Opened', data: {} });
    }
    protected apply({ type }: Opened): void {
      trouble.apply?.(type);
    }
    override restoreSnapshot(): void {
      trouble.restore?.();
    }
  }
  const taskQueue = uniqueName('isolation');
  const stop = await startWorker({
    taskQueue,
    plugins: [new EventStorePlugin({ store, aggregates: [Account], commandLanes })],
    shutdownGraceTime: '1 second',
  });
  onTestFinished(stop);
  const accounts = new AggregateClient({ client, aggregate: Account, taskQueue, lanes: 1 });
  return { accounts, store, taskQueue, stop };
}

/** What became of it, and after how many milliseconds. */
async function told(
  call: Promise<{ version: number }>,
): Promise<{ version?: number; error?: unknown; after: number }> {
  const began = performance.now();
  const outcome = await call.then(
    ({ version }) => ({ version }),
    (error: unknown) => ({ error }),
  );
  return { ...outcome, after: performance.now() - began };
}

describe('an aggregate that is broken fails its own commands, and nobody else on its lane', () => {
  it('where apply throws for a stored event', async () => {
    const { accounts, store } = await useAccounts({
      apply: (type) => {
        if (type === 'Renamed') throw new TypeError(`No rule for ${type}`);
      },
    });
    await store.appendToStream('Account-broken', [{ type: 'Renamed', data: {} }]);
    const [broken, healthy] = await Promise.all([
      told(accounts.execute('broken', 'open')),
      told(accounts.execute('healthy', 'open')),
    ]);
    expect(broken.error).toMatchObject({
      code: 'COMMAND_FAILED',
      message: expect.stringMatching(/'Account-broken'.*event 1, 'Renamed'.*No rule for Renamed/) as string,
    });
    expect(healthy).toMatchObject({ version: 1 });
    expect((await store.readStream('Account-broken')).version).toBe(1);
  });

  it('where its events can not be upcast', async () => {
    const events = defineEvents({
      Opened: {},
      Renamed: {
        schemaVersion: 2,
        upcast: {
          1: () => {
            throw new Error('a field is missing');
          },
        },
      },
    });
    const memory = new MemoryEventStore();
    await memory.appendToStream('Account-broken', [{ type: 'Renamed', data: {} }]);
    const { accounts } = await useAccounts({}, withEvents(memory, events));
    const [broken, healthy] = await Promise.all([
      told(accounts.execute('broken', 'open')),
      told(accounts.execute('healthy', 'open')),
    ]);
    expect(broken.error).toMatchObject({ code: 'INVALID_EVENT' });
    expect(healthy).toMatchObject({ version: 1 });
  });

  it('where its snapshot can not be restored: the events are used', async () => {
    const store = new MemoryEventStore();
    await store.appendToStream('Account-1', [{ type: 'Opened', data: {} }]);
    await store.snapshots.save('Account-1', { name: 'Account', version: 1 }, 1, {});
    const restore = (): never => {
      throw new TypeError('An old shape');
    };
    const { accounts } = await useAccounts({ restore }, store);
    expect(await accounts.execute('1', 'open')).toMatchObject({ version: 2 });
  });

  it('where its command throws what has no text', async () => {
    const { accounts } = await useAccounts();
    const [failed, healthy] = await Promise.all([
      told(accounts.execute('1', 'fail')),
      told(accounts.execute('2', 'open')),
    ]);
    expect(failed.error).toMatchObject({
      code: 'COMMAND_FAILED',
      message: expect.stringContaining('failed with an object') as string,
    });
    expect(healthy).toMatchObject({ version: 1 });
  });
});

describe('an aggregate with a thousand commands', () => {
  it('leaves its turns to the others of its lane', async () => {
    const { accounts, store } = await useAccounts();
    const hot = Array.from({ length: 2_000 }, () => accounts.execute('hot', 'open'));
    const [mate] = await Promise.all([accounts.execute('mate', 'open'), hot[0]]);
    expect(mate).toMatchObject({ version: 1 });
    // All but those that went before, or with it.
    expect((await store.readStream('Account-hot')).version).toBeLessThan(1_000);
    await Promise.all(hot);
    expect((await store.readStream('Account-hot')).version).toBe(2_000);
  });
});

describe('a command that takes long', () => {
  it('fails for certain when it takes more than its time, and its lane mates do not wait for it', async () => {
    const late = gate();
    let decided = 0;
    const { accounts, store } = await useAccounts(
      {
        decide: (id) => {
          if (id !== 'slow') return undefined;
          decided++;
          return late.opened;
        },
      },
      undefined,
      { batchTimeout: 3_000 },
    );
    await accounts.execute('warm', 'open');
    const slow = told(accounts.execute('slow', 'open'));
    const mates = await Promise.all(['1', '2', '3'].map((id) => told(accounts.execute(id, 'open'))));
    for (const mate of mates) {
      expect(mate).toMatchObject({ version: 1 });
      expect(mate.after).toBeLessThan(2_500);
    }
    const { error } = await slow;
    expect(error).toMatchObject({
      code: 'COMMAND_FAILED',
      message: expect.stringContaining('longer than 3000 ms') as string,
    });
    expect(decided).toBe(1);
    // Nor is anything of it stored when it goes on; and the next command decides on what is stored.
    late.open();
    expect(await accounts.execute('slow', 'open')).toMatchObject({ version: 1 });
    expect((await store.readStream('Account-slow')).version).toBe(1);
  });

  it('is answered when it has its time, decided once, and those after it in their order', async () => {
    let decided = 0;
    const { accounts, store } = await useAccounts({
      decide: (id) => (id === 'slow' && decided++ === 0 ? delay(2_500) : undefined),
    });
    const slow = ['a', 'b'].map((commandId) => accounts.execute('slow', 'open', undefined, { commandId }));
    const mate = await told(accounts.execute('mate', 'open'));
    expect(mate).toMatchObject({ version: 1 });
    const later = accounts.execute('slow', 'open', undefined, { commandId: 'c' });
    expect(await Promise.all([...slow, later])).toMatchObject([
      { version: 1 },
      { version: 2 },
      { version: 3 },
    ]);
    expect(decided).toBe(3);
    const { events } = await store.readStream('Account-slow');
    expect(events.map(({ commitId }) => commitId)).toEqual(['a', 'b', 'c']);
  });

  it('holds up nobody who comes together with the next command of its aggregate', async () => {
    const { accounts } = await useAccounts({ decide: (id) => (id === 'slow' ? delay(3_000) : undefined) });
    await accounts.execute('warm', 'open');
    const slow = [accounts.execute('slow', 'open')];
    await accounts.execute('1', 'open');
    // One update.
    slow.push(accounts.execute('slow', 'open'));
    const mate = await told(accounts.execute('2', 'open'));
    expect(mate).toMatchObject({ version: 1 });
    expect(mate.after).toBeLessThan(2_000);
    expect(await Promise.all(slow)).toMatchObject([{ version: 1 }, { version: 2 }]);
  });

  it('computes without a pause, is named, and fails nobody', async () => {
    const { accounts } = await useAccounts();
    const outcomes = await Promise.all([
      told(accounts.execute('1', 'compute')),
      ...['2', '3'].map((id) => told(accounts.execute(id, 'open'))),
    ]);
    expect(outcomes).toMatchObject([{ version: 1 }, { version: 1 }, { version: 1 }]);
  });

  it('is answered with many others of its aggregate that together take longer than a batch may', async () => {
    const { accounts, store } = await useAccounts({ decide: () => delay(10) });
    await Promise.all(Array.from({ length: 300 }, () => accounts.execute('1', 'open')));
    expect((await store.readStream('Account-1')).version).toBe(300);
  });
});

describe('a store that gives no answer for one stream', () => {
  /** It answers for others. */
  function awayFor(streamId: string): { readonly store: MemoryEventStore; comeBack(): void } {
    const store = new MemoryEventStore();
    const read = store.readStream.bind(store);
    let isAway = true;
    store.readStream = async <E extends DomainEvent>(stream: string, options?: ReadStreamOptions) => {
      if (isAway && stream === streamId) throw new StoreUnavailableError('The row is locked.');
      return read<E>(stream, options);
    };
    return {
      store,
      comeBack: () => {
        isAway = false;
      },
    };
  }

  it('holds up its commands until it is back, and nobody else', async () => {
    const { store, comeBack } = awayFor('Account-away');
    const { accounts } = await useAccounts({}, store);
    const away = accounts.execute('away', 'open');
    for (const id of ['1', '2', '3']) {
      expect(await accounts.execute(id, 'open')).toMatchObject({ version: 1 });
    }
    comeBack();
    expect(await away).toMatchObject({ version: 1 });
  });

  it('is what a caller is told who gives up', async () => {
    const { store } = awayFor('Account-away');
    const { accounts } = await useAccounts({}, store);
    await expect(accounts.execute('away', 'open', undefined, { timeout: 20_000 })).rejects.toMatchObject({
      code: 'COMMAND_OUTCOME_UNKNOWN',
      message: expect.stringContaining('The row is locked.') as string,
    });
  });

  it('does not keep its worker from stopping, nor the lane from being cancelled', async () => {
    const { store } = awayFor('Account-away');
    const { accounts, stop } = await useAccounts({}, store);
    const away = accounts.execute('away', 'open', undefined, { timeout: 8_000 });
    const unknown = expect(away).rejects.toMatchObject({ code: 'COMMAND_OUTCOME_UNKNOWN' });
    await accounts.execute('1', 'open');
    // They came by one update.
    const { events } = await store.readStream('Account-1');
    await client.workflow.getHandle(events[0]?.metadata.workflowId ?? '').cancel();
    await stop();
    await unknown;
  });
});
