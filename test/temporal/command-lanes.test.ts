import {
  CancelledFailure,
  WorkflowFailedError,
  WorkflowNotFoundError,
  type Client,
} from '@temporalio/client';
import type { ActivityOptions } from '@temporalio/workflow';
import {
  AggregateRoot,
  isEventStoreError,
  StoreUnavailableError,
  type CommandReceipt,
  type DomainEvent,
} from 'temporal-event-store';
import {
  createAggregateActivities,
  type AggregateActivities,
  type CommandLaneOptions,
} from 'temporal-event-store/activities';
import { AggregateClient, ProjectionClient, type AggregateClientOptions } from 'temporal-event-store/client';
import { MemoryEventStore } from 'temporal-event-store/memory';
import { EventStorePlugin } from 'temporal-event-store/worker';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { memoryBalances } from '../support/balances.js';
import { gate } from '../support/gated-store.js';
import { connectClient, startWorker, uniqueName, useWorker, workflowsModule } from '../support/temporal.js';
import { tally, Wallet, type WalletEvent } from '../support/wallet.js';
import { expectWorkerLog } from '../support/worker-log.js';

expectWorkerLog(
  / Activity failed CancelledFailure: Local Activity cancelled/,
  /The store gave no answer to the commands of a stream .*(The answer is lost|The database is away)/,
  / failed \w+: The database is away/,
  /No worker knew a command .*The aggregate 'Stranger' is not registered/,
  /No worker knew a command .* is not in its list of commands/,
  / Workflow failed Error: Deciding the command 'fail' failed with TypeError/,
);

let client: Client;
beforeAll(async () => {
  client = await connectClient();
});

async function useWallets(
  options: Partial<AggregateClientOptions<typeof Wallet>> = {},
  store = new MemoryEventStore(),
  commandLanes: CommandLaneOptions = {},
): Promise<{ store: MemoryEventStore; wallets: AggregateClient<typeof Wallet>; taskQueue: string }> {
  const taskQueue = uniqueName('lanes');
  await useWorker({
    taskQueue,
    plugins: [new EventStorePlugin({ store, aggregates: [Wallet, tally], commandLanes })],
  });
  const wallets = new AggregateClient({
    client,
    aggregate: Wallet,
    taskQueue,
    lanes: 'per-aggregate',
    ...options,
  });
  return { store, wallets, taskQueue };
}

describe('a command', () => {
  it('is decided and appended, and its receipt says what it led to', async () => {
    const { store, wallets, taskQueue } = await useWallets();

    const receipt = await wallets.execute(
      '1',
      'deposit',
      { amount: 5 },
      { commandId: 'first', metadata: { actor: 'Ann', correlationId: 'case-1' } },
    );

    const { events } = await store.readStream('Wallet-1');
    const lane = await client.workflow.getHandle(`event-store/commands/${taskQueue}/Wallet/1`).describe();
    expect(receipt).toEqual({
      version: 1,
      position: events[0]?.position,
      events: [{ id: events[0]?.id, type: 'Deposited' }],
      deduplicated: false,
    });
    expect(events).toMatchObject([
      {
        commitId: 'first',
        data: { amount: 5 },
        metadata: {
          actor: 'Ann',
          causationId: 'first',
          correlationId: 'case-1',
          workflowId: lane.workflowId,
          runId: lane.runId,
        },
      },
    ]);
    expect(await wallets.state('1')).toEqual({ version: 1, state: { balance: 5 } });
  });

  it('is answered also when its lane is cancelled, and the next one starts another', async () => {
    const { store, wallets, taskQueue } = await useWallets({ maxBatch: 1 });
    const lane = client.workflow.getHandle(`event-store/commands/${taskQueue}/Wallet/1`);
    await wallets.execute('1', 'deposit', { amount: 1 });
    const { runId } = await lane.describe();

    const receipts = Array.from({ length: 20 }, () => wallets.execute('1', 'deposit', { amount: 1 }));
    await lane.cancel();
    await Promise.all(receipts);
    await wallets.execute('1', 'deposit', { amount: 1 });

    const first = client.workflow.getHandle(lane.workflowId, runId);
    await expect(first.result()).rejects.toBeInstanceOf(WorkflowFailedError);
    expect((await first.describe()).status.name).toBe('CANCELLED');
    expect((await lane.describe()).runId).not.toBe(runId);
    expect(await wallets.state('1')).toEqual({ version: 22, state: { balance: 22 } });
    expect((await store.readStream('Wallet-1')).version).toBe(22);
  });

  it('is decided again when its batch was cancelled under the lane, as by a worker that evicts it', async () => {
    const store = new MemoryEventStore();
    const taskQueue = uniqueName('lanes');
    const { eventStoreExecute } = createAggregateActivities({ store, aggregates: [Wallet] });
    let batches = 0;
    const activities: Pick<AggregateActivities, 'eventStoreExecute'> = {
      eventStoreExecute: async (batch) => {
        const outcomes = await eventStoreExecute(batch);
        if (++batches === 1) throw new CancelledFailure('Local Activity cancelled');
        return outcomes;
      },
    };
    await useWorker({ taskQueue, activities, workflowsPath: workflowsModule('commands') });
    const wallets = new AggregateClient({ client, aggregate: Wallet, taskQueue });

    const receipt = await wallets.execute('1', 'deposit', { amount: 5 });

    expect(receipt).toMatchObject({ version: 1, deduplicated: true });
    expect((await store.readStream('Wallet-1')).version).toBe(1);
  });

  it('takes effect once, however often it is sent', async () => {
    const { store, wallets, taskQueue } = await useWallets();
    const other = new AggregateClient({ client, aggregate: Wallet, taskQueue, lanes: 3 });
    await wallets.execute('1', 'deposit', { amount: 5 });
    const send = (from: typeof wallets) =>
      from.execute('1', 'withdraw', { amount: 3 }, { commandId: 'second' });

    const receipts = await Promise.all([send(wallets), send(wallets), send(other)]);
    receipts.push(await send(wallets), await send(other));

    expect(receipts.filter(({ deduplicated }) => !deduplicated)).toHaveLength(1);
    for (const receipt of receipts) {
      expect(receipt).toEqual({ ...receipts[0], deduplicated: receipt.deduplicated });
    }
    expect((await store.readStream('Wallet-1')).version).toBe(2);
  });

  it('is decided on what is stored, whoever stored it', async () => {
    const { store, wallets } = await useWallets();
    const withdraw = () => wallets.execute('1', 'withdraw', { amount: 10 });
    const appendFromElsewhere = (type: WalletEvent['type'], amount: number) =>
      store.appendToStream('Wallet-1', [{ type, data: { amount } }]);
    await wallets.execute('1', 'deposit', { amount: 10 });

    await appendFromElsewhere('Withdrawn', 1);
    await expect(withdraw()).rejects.toMatchObject({ code: 'DOMAIN_ERROR', details: { balance: 9 } });

    await appendFromElsewhere('Deposited', 1);
    expect(await withdraw()).toMatchObject({ version: 4, deduplicated: false });
  });

  it('whose answer is lost on the way from the store is not decided again', async () => {
    const { store, wallets } = await useWallets();
    await wallets.execute('1', 'deposit', { amount: 10 });
    const append = store.appendCommits.bind(store);
    store.appendCommits = async (...args) => {
      store.appendCommits = append;
      await append(...args);
      throw new StoreUnavailableError('The answer is lost.');
    };

    expect(await wallets.execute('1', 'withdraw', { amount: 10 })).toMatchObject({
      version: 2,
      events: [{ type: 'Withdrawn' }],
      deduplicated: true,
    });
    await expect(wallets.execute('1', 'withdraw', { amount: 10 })).rejects.toMatchObject({
      code: 'DOMAIN_ERROR',
    });
  });

  it('fails alone when others wait with it', async () => {
    const { store, wallets } = await useWallets();
    const good = Array.from({ length: 63 }, () => wallets.execute('1', 'deposit', { amount: 1 }));
    const bad = [
      wallets.execute('1', 'withdraw', { amount: 1_000 }),
      wallets.execute('1', 'fail'),
      wallets.execute('1', 'raiseAndFail'),
      wallets.execute('1', 'raiseInvalid'),
    ];
    const later = wallets.execute('1', 'withdrawSlowly', { amount: 63 });

    const refusals = (await Promise.allSettled(bad)).map(
      (result): unknown => 'reason' in result && result.reason,
    );
    expect(refusals).toMatchObject([
      { code: 'DOMAIN_ERROR', reason: 'INSUFFICIENT_FUNDS', details: { balance: 63 } },
      { code: 'COMMAND_FAILED' },
      { code: 'DOMAIN_ERROR', message: 'After all, no' },
      { code: 'INVALID_EVENT' },
    ]);
    await Promise.all(good);
    await later;

    expect((await store.readStream('Wallet-1')).version).toBe(64);
    expect(await wallets.state('1')).toMatchObject({ state: { balance: 0 } });
  });

  it.each([
    [1, 1_500_000],
    [64, 40_000],
  ])(
    'is refused, and the lane lives, when %i errors of %i characters are too much to travel',
    async (count, length) => {
      const { wallets } = await useWallets();
      const commands = Array.from({ length: count }, () => wallets.execute('1', 'refuseLoudly', { length }));
      const good = wallets.execute('1', 'deposit', { amount: 1 });
      const refusals = (await Promise.allSettled(commands)).map(
        (result): unknown => 'reason' in result && result.reason,
      );
      expect(refusals).toMatchObject(
        Array.from({ length: count }, () => ({
          code: 'DOMAIN_ERROR',
          reason: 'LOUD',
          message: expect.stringMatching(/^n{1000,}.*cut/) as string,
        })),
      );
      await good;
    },
  );

  it('that fails after it has raised an event leaves nothing of it to the next', async () => {
    const { wallets } = await useWallets();
    await wallets.execute('1', 'deposit', { amount: 5 });

    await expect(wallets.execute('1', 'raiseAndFail')).rejects.toThrow('After all, no');

    await expect(wallets.execute('1', 'withdraw', { amount: 6 })).rejects.toMatchObject({
      code: 'DOMAIN_ERROR',
      details: { balance: 5 },
    });
  });

  it('that changes nothing leaves no trace', async () => {
    const { store, wallets } = await useWallets();
    const receipt = { version: 0, position: 0, events: [], deduplicated: false };
    expect(await wallets.execute('1', 'check')).toEqual(receipt);
    expect((await store.readStream('Wallet-1')).version).toBe(0);
  });

  it('is followed by a read model, also when it came before or changed nothing', async () => {
    const { projection, sink } = memoryBalances();
    const store = new MemoryEventStore();
    const taskQueue = uniqueName('lanes');
    await useWorker({
      taskQueue,
      plugins: [new EventStorePlugin({ store, aggregates: [Wallet, tally], projections: [projection] })],
    });
    const wallets = new AggregateClient({ client, aggregate: Wallet, taskQueue });
    const tallies = new AggregateClient({ client, aggregate: tally, taskQueue });
    const projections = new ProjectionClient({ client, taskQueue });
    await projections.start('balances');
    await store.appendToStream('Other-1', [{ type: 'Happened', data: {} }]);

    const deposit = () => wallets.execute('1', 'deposit', { amount: 5 }, { commandId: 'first' });
    const { position } = await deposit();
    await projections.waitFor('balances', position);
    expect(sink.model('balances')?.get('Wallet-1')).toEqual({ balance: 5, events: 1 });

    expect(position).toBe(2);
    expect(await deposit()).toMatchObject({ position, deduplicated: true });
    await store.appendToStream('Other-1', [{ type: 'Happened', data: {} }]);
    expect(await wallets.execute('1', 'check')).toMatchObject({ position, events: [] });

    // Together with one that changes something, and behind its back.
    await Promise.all([
      tallies.execute('1', 'add', { by: 1 }),
      tallies.execute('1', 'reset'),
      expect(tallies.execute('1', 'reset')).resolves.toMatchObject({ position: 5, events: [] }),
    ]);
    await store.appendToStream('Wallet-1', [{ type: 'Deposited', data: { amount: 1 } }]);
    expect(await wallets.execute('1', 'check')).toMatchObject({ position: 6, version: 2 });
  });

  it('is refused when its id was used for another', async () => {
    const { wallets } = await useWallets();
    await wallets.execute('1', 'deposit', { amount: 5 }, { commandId: 'first' });
    await expect(
      wallets.execute('1', 'deposit', { amount: 6 }, { commandId: 'first' }),
    ).rejects.toMatchObject({ code: 'COMMIT_MISMATCH' });
    await expect(
      wallets.execute('1', 'withdraw', { amount: 1_000 }, { commandId: 'first' }),
    ).rejects.toMatchObject({ code: 'COMMIT_MISMATCH' });
  });

  it('is refused when its id is under way with another', async () => {
    const { store, wallets } = await useWallets();
    const deposit = (amount: number) => wallets.execute('1', 'deposit', { amount }, { commandId: 'first' });

    const first = deposit(5);
    await expect(deposit(6)).rejects.toMatchObject({ code: 'COMMIT_MISMATCH', commitId: 'first' });

    expect(await first).toMatchObject({ version: 1, deduplicated: false });
    expect((await store.readStream('Wallet-1')).version).toBe(1);
  });

  it('comes after those that its client sent before, also when they are several updates', async () => {
    const { store, wallets } = await useWallets({ maxBatch: 1 });
    const amounts = Array.from({ length: 30 }, (_, index) => index + 1);

    await Promise.all(amounts.map((amount) => wallets.execute('1', 'deposit', { amount })));

    const { events } = await store.readStream<WalletEvent>('Wallet-1');
    expect(events.map(({ data }) => data.amount)).toEqual(amounts);
  });

  it('of a decider works the same', async () => {
    const { store, taskQueue } = await useWallets();
    const tallies = new AggregateClient({ client, aggregate: tally, taskQueue, lanes: 2 });
    await Promise.all(
      Array.from({ length: 40 }, (_, n) => tallies.execute(String(n % 8), 'add', { by: 1 + n })),
    );
    await expect(tallies.execute('0', 'add', { by: 0 })).rejects.toMatchObject({ code: 'DOMAIN_ERROR' });
    await tallies.execute('0', 'reset', undefined);
    expect(await tallies.execute('0', 'reset', undefined)).toMatchObject({ version: 6, events: [] });
    expect((await store.readAll({ limit: 100 })).events).toHaveLength(41);
  });

  it('that is not listed, or of an aggregate that is not registered, is refused', async () => {
    const { wallets, taskQueue } = await useWallets();
    const unchecked = new AggregateClient({ client, aggregate: { category: 'Wallet' }, taskQueue });
    const names = ['constructor', '__proto__', 'toString', 'unlisted', 'nowhere', 'raise'];
    for (const name of names) {
      await expect(wallets.execute('1', name as 'check')).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    }
    const strangers = new AggregateClient({ client, aggregate: { category: 'Stranger' }, taskQueue });
    const refused = await Promise.allSettled([
      strangers.execute('1', 'greet'),
      ...names.map((name) => unchecked.execute(name, name)),
    ]);
    for (const each of refused) expect(each).toMatchObject({ reason: { code: 'INVALID_ARGUMENT' } });
  });

  it('has a payload that fits its schema, is JSON, and is not too large', async () => {
    const { store, wallets, taskQueue } = await useWallets();
    const unchecked = new AggregateClient({ client, aggregate: { category: 'Wallet' }, taskQueue });
    await expect(wallets.execute('1', 'deposit', { amount: -5 })).rejects.toThrow('payload.amount');
    await expect(unchecked.execute('1', 'deposit', { amount: -5 })).rejects.toThrow('payload.amount');
    await expect(wallets.execute('1', 'check', { on: new Date() } as never)).rejects.toThrow('payload.on');
    await expect(wallets.execute('1', 'check', 'x'.repeat(3_000_000) as never)).rejects.toMatchObject({
      code: 'EVENT_TOO_LARGE',
    });
    expect((await store.readAll()).events).toEqual([]);
  });

  it('that its client refuses leaves no history', async () => {
    const { wallets, taskQueue } = await useWallets();
    const refused = await Promise.allSettled([
      wallets.execute('1', 'toString' as 'check'),
      wallets.execute('1', 'deposit', { amount: -5 }),
      wallets.execute('1', 'check', 'x'.repeat(3_000_000) as never),
    ]);
    expect(refused.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
    const lane = client.workflow.getHandle(`event-store/commands/${taskQueue}/Wallet/1`);
    await expect(lane.describe()).rejects.toThrow(WorkflowNotFoundError);
  });

  it('comes from a service that knows no more than the category', async () => {
    const { store, taskQueue } = await useWallets();
    const strangers = new AggregateClient({ client, aggregate: { category: 'Wallet' }, taskQueue });
    expect(await strangers.execute('1', 'deposit', { amount: 5 })).toMatchObject({ version: 1 });
    expect(await strangers.state('1')).toEqual({ version: 1, state: { balance: 5 } });
    expect((await store.readStream('Wallet-1')).version).toBe(1);
  });

  it('that fails by a defect is decided once, and its lane goes on', async () => {
    let calls = 0;
    class Brittle extends AggregateRoot<DomainEvent<'Done', object>> {
      static readonly category = 'Brittle';
      static readonly commands = { fail: true, succeed: true };
      fail(): void {
        calls++;
        throw new TypeError('x is not a function');
      }
      succeed(): void {
        this.raise({ type: 'Done', data: {} });
      }
      protected apply(): void {
        // Nothing to keep.
      }
    }
    const taskQueue = uniqueName('lanes');
    const plugins = [new EventStorePlugin({ store: new MemoryEventStore(), aggregates: [Brittle] })];
    await useWorker({ taskQueue, plugins });
    const brittle = new AggregateClient({ client, aggregate: Brittle, taskQueue, lanes: 'per-aggregate' });
    await expect(brittle.execute('1', 'fail')).rejects.toMatchObject({
      code: 'COMMAND_FAILED',
      message: expect.stringContaining('x is not a function') as string,
    });
    const first = await client.workflow.getHandle(`event-store/commands/${taskQueue}/Brittle/1`).describe();
    expect(await brittle.execute('1', 'succeed')).toMatchObject({ version: 1 });
    const then = await client.workflow.getHandle(`event-store/commands/${taskQueue}/Brittle/1`).describe();
    expect(then.runId).toBe(first.runId);
    expect(calls).toBe(1);
  });

  it('is one of a bounded number that wait', async () => {
    const few = new AggregateClient({
      client,
      aggregate: Wallet,
      taskQueue: uniqueName('nobody'),
      maxPending: 2,
    });
    const end = new AbortController();
    const waiting = [1, 2].map(() => few.execute('1', 'check', undefined, { signal: end.signal }));
    await expect(few.execute('2', 'check')).rejects.toMatchObject({ code: 'STORE_OVERLOADED' });
    end.abort(new Error('enough'));
    for (const each of waiting) await expect(each).rejects.toThrow('enough');
    // Room again.
    await expect(few.execute('2', 'check', undefined, { timeout: 50 })).rejects.toMatchObject({
      code: 'COMMAND_OUTCOME_UNKNOWN',
    });
  });

  it('that was taken is answered before its client is closed', async () => {
    const { wallets } = await useWallets();
    let version = 0;
    void wallets.execute('1', 'deposit', { amount: 5 }).then((receipt) => (version = receipt.version));
    // The check of the payload is over.
    await Promise.resolve();
    await wallets.close();
    expect(version).toBe(1);
  });

  it('without an answer in time may have taken effect, and says with which id to ask', async () => {
    const lost = new AggregateClient({ client, aggregate: Wallet, taskQueue: uniqueName('nobody') });
    const error = await lost
      .execute('1', 'check', undefined, { timeout: 300, commandId: 'mine' })
      .catch((e: unknown) => e);
    expect(isEventStoreError(error, 'COMMAND_OUTCOME_UNKNOWN')).toBe(true);
    expect(error).toMatchObject({ commandId: 'mine' });
    const waiting = lost.execute('1', 'check', undefined, { signal: AbortSignal.timeout(100) });
    await expect(waiting).rejects.toMatchObject({ name: 'TimeoutError' });
    await lost.close();
    await expect(lost.execute('1', 'check')).rejects.toMatchObject({ code: 'STORE_CLOSED' });
  });
});

describe('a lane', () => {
  it('continues as new again and again, completes when it is idle, and loses nothing', async () => {
    const short = { maxUpdates: 3, idleTimeout: 1_000 };
    const { store, wallets, taskQueue } = await useWallets({ maxBatch: 2 }, undefined, short);
    const second = new AggregateClient({
      client,
      aggregate: Wallet,
      taskQueue,
      lanes: 'per-aggregate',
      maxBatch: 3,
    });
    const lane = client.workflow.getHandle(`event-store/commands/${taskQueue}/Wallet/1`);
    await wallets.execute('1', 'deposit', { amount: 1 });
    const { runId } = await lane.describe();
    await Promise.all(
      Array.from({ length: 59 }, (_, n) => (n % 2 ? wallets : second).execute('1', 'deposit', { amount: 1 })),
    );
    expect((await store.readStream('Wallet-1')).version).toBe(60);
    const first = client.workflow.getHandle(lane.workflowId, runId);
    expect((await first.describe()).status.name).toBe('CONTINUED_AS_NEW');

    await expect.poll(async () => (await lane.describe()).status.name, { timeout: 30_000 }).toBe('COMPLETED');
    await wallets.execute('1', 'withdraw', { amount: 60 });
  });

  it('follows the settings of its worker from the next run on', async () => {
    const store = new MemoryEventStore();
    const taskQueue = uniqueName('lanes');
    const work = (commandLanes: CommandLaneOptions): Promise<() => Promise<void>> =>
      startWorker({
        taskQueue,
        plugins: [new EventStorePlugin({ store, aggregates: [Wallet], commandLanes })],
      });
    const wallets = new AggregateClient({ client, aggregate: Wallet, taskQueue, lanes: 'per-aggregate' });
    const lane = client.workflow.getHandle(`event-store/commands/${taskQueue}/Wallet/1`);
    const deposit = async (): Promise<string> => {
      await wallets.execute('1', 'deposit', { amount: 1 });
      return (await lane.describe()).runId;
    };
    const stopOld = await work({ maxUpdates: 2 });
    const first = await deposit();
    await stopOld();
    onTestFinished(await work({ maxUpdates: 4 }));
    // The run of before ends after two.
    await deposit();
    const second = await deposit();
    expect(second).not.toBe(first);
    for (const _of of ['the next', 'three']) expect(await deposit()).toBe(second);
    await deposit();
    expect(await deposit()).not.toBe(second);
  });

  it('says how it is doing', async () => {
    const { wallets, taskQueue } = await useWallets();
    await wallets.execute('1', 'deposit', { amount: 1 });
    const lane = client.workflow.getHandle(`event-store/commands/${taskQueue}/Wallet/1`);
    expect(await lane.query('eventStoreLaneStatus')).toEqual({
      pending: 0,
      inBatch: 0,
      processed: 1,
      batches: 1,
      isDraining: false,
    });
  });

  it.each([[[]], ['text'], [[{ id: '1' }]], [[{ id: '1', commandId: 'a', name: 'b', metadata: 7 }]]])(
    'refuses %j before it reaches its history',
    async (commands) => {
      const { wallets, taskQueue } = await useWallets();
      await wallets.execute('1', 'deposit', { amount: 1 });
      const lane = client.workflow.getHandle(`event-store/commands/${taskQueue}/Wallet/1`);
      const { historyLength } = await lane.describe();
      const update = lane.executeUpdate('eventStoreExecuteCommands', { args: [commands] });
      const error: unknown = await update.catch((thrown: unknown) => thrown);
      expect(isEventStoreError(error, 'INVALID_ARGUMENT')).toBe(true);
      expect((await lane.describe()).historyLength).toBe(historyLength);
    },
  );
});

/** The first append to a stream waits for a second, so that two lanes decide on the same state. */
class ContestedStore extends MemoryEventStore {
  conflicts = 0;
  readonly #contests = new Map<string, ReturnType<typeof gate>>();

  override async appendCommits(...args: Parameters<MemoryEventStore['appendCommits']>) {
    const [streamId] = args;
    const contest = this.#contests.get(streamId);
    if (contest === undefined) {
      const begun = gate();
      this.#contests.set(streamId, begun);
      await begun.opened;
    } else {
      contest.open();
    }
    try {
      return await super.appendCommits(...args);
    } catch (error) {
      // The commands of the other are there already, or some of the same.
      if (isEventStoreError(error, 'VERSION_CONFLICT') || isEventStoreError(error, 'COMMIT_EXISTS')) {
        this.conflicts++;
      }
      throw error;
    }
  }
}

describe('the number of lanes', () => {
  it.each([
    [4, 16, 'one worker'],
    ['per-aggregate', 4, 'two workers'],
    [16, 'per-aggregate', 'two workers'],
  ] as const)('may go from %s to %s with commands under way, on %s', async (from, to, workers) => {
    const isContested = workers === 'two workers';
    const store = isContested ? new ContestedStore() : new MemoryEventStore();
    const { wallets: before, taskQueue } = await useWallets({ lanes: from, maxBatch: 8 }, store);
    const after = isContested
      ? (await useWallets({ lanes: to, maxBatch: 8 }, store)).wallets
      : new AggregateClient({ client, aggregate: Wallet, taskQueue, lanes: to, maxBatch: 8 });
    const receipts = new Map<string, CommandReceipt>();
    let refusals = 0;

    // Half a deploy: both send to the same aggregates, a third of the commands both.
    const send = async (number: number): Promise<void> => {
      const commandId = `command-${number}`;
      // More is asked for than there is: who decides on an old state overdraws.
      const name = Math.floor(number / 2) % 3 === 0 ? 'deposit' : 'withdraw';
      const amount = name === 'deposit' ? 3 : 2;
      const senders = number % 3 === 0 ? [before, after] : [number % 2 === 0 ? before : after];
      for (const result of await Promise.allSettled(
        senders.map((each) => each.execute(String(number % 5), name, { amount }, { commandId })),
      )) {
        if (result.status === 'fulfilled') {
          expect(receipts.get(commandId)?.version ?? result.value.version).toBe(result.value.version);
          receipts.set(commandId, result.value);
        } else {
          expect(result.reason).toMatchObject({ reason: 'INSUFFICIENT_FUNDS' });
          refusals++;
        }
      }
    };
    await Promise.all(Array.from({ length: 240 }, (_, number) => send(number)));

    const { events } = await store.readAll<WalletEvent>({ limit: 1_000 });
    expect(events.map(({ commitId }) => commitId).sort()).toEqual([...receipts.keys()].sort());
    for (const { commitId, version } of events) expect(receipts.get(commitId)?.version).toBe(version);
    expect(receipts.size + refusals).toBeGreaterThanOrEqual(240);
    for (const id of ['0', '1', '2', '3', '4']) {
      const ofWallet = events.filter(({ streamId }) => streamId === `Wallet-${id}`);
      let balance = 0;
      for (const { type, data } of ofWallet) {
        balance += type === 'Deposited' ? data.amount : -data.amount;
        expect(balance).toBeGreaterThanOrEqual(0);
      }
      expect(new Set(ofWallet.map(({ metadata }) => metadata.workflowId)).size).toBeGreaterThan(1);
    }
    // Two workers did get in each other's way.
    if (store instanceof ContestedStore) expect(store.conflicts).toBeGreaterThan(0);
  });
});

describe('a workflow', () => {
  it('sends commands, once each, and gets their errors typed', async () => {
    const store = new MemoryEventStore();
    const taskQueue = uniqueName('commands');
    await useWorker({
      taskQueue,
      workflowsPath: workflowsModule('commands'),
      plugins: [new EventStorePlugin({ store, aggregates: [Wallet] })],
    });
    const run = (type: string) =>
      client.workflow.execute(type, { taskQueue, workflowId: uniqueName(type), args: ['1'] });

    const receipts: unknown = await run('depositTwice');

    const { events } = await store.readStream('Wallet-1');
    expect(receipts).toEqual(
      events.map(({ id, type, version, position }) => ({
        version,
        position,
        events: [{ id, type }],
        deduplicated: false,
      })),
    );
    expect(events).toMatchObject([
      { metadata: { actor: 'workflow', workflowId: expect.stringMatching(/^depositTwice/) as string } },
      { version: 2 },
    ]);
    expect(await run('withdrawOr')).toBe('Only 11 are left');
    const error: unknown = await run('failUncaught').catch((thrown: unknown) => thrown);
    expect(isEventStoreError(error, 'COMMAND_FAILED')).toBe(true);
  });

  describe('that sends a command', () => {
    const useCommands = async (store = new MemoryEventStore()) => {
      const taskQueue = uniqueName('commands');
      await useWorker({
        taskQueue,
        workflowsPath: workflowsModule('commands'),
        plugins: [new EventStorePlugin({ store, aggregates: [Wallet] })],
      });
      return (options: ActivityOptions = {}, id = '1') =>
        client.workflow.start('depositWith', {
          taskQueue,
          workflowId: uniqueName('deposit'),
          args: [id, options],
        });
    };

    it('shows it by its aggregate and name, in bounded length', async () => {
      const start = await useCommands();
      const summaryOf = async ({ workflowId }: { readonly workflowId: string }) => {
        const { events } = await client.workflow.getHandle(workflowId).fetchHistory();
        const scheduled = events?.find((event) => event.activityTaskScheduledEventAttributes);
        const { data } = scheduled?.userMetadata?.summary ?? {};
        return { summary: JSON.parse(new TextDecoder().decode(data)) as string, scheduled };
      };
      const [short, long, own] = await Promise.all([
        start(),
        start({}, 'é'.repeat(200)),
        start({ summary: 'Mine' }),
      ]);
      await Promise.all([short.result(), long.result(), own.result()]);

      const { summary, scheduled } = await summaryOf(short);
      expect(summary).toBe('Wallet/1 deposit');
      expect(Number(scheduled?.activityTaskScheduledEventAttributes?.scheduleToCloseTimeout?.seconds)).toBe(
        24 * 60 * 60,
      );
      expect((await summaryOf(long)).summary).toMatch(/^Wallet\/é{91}… deposit$/);
      expect((await summaryOf(own)).summary).toBe('Mine');
    });

    it('is told which, and the last cause, when the store gives no answer in its time', async () => {
      const store = new MemoryEventStore();
      store.appendCommits = () => Promise.reject(new StoreUnavailableError('The database is away.'));
      const start = await useCommands(store);
      const limits = [{ scheduleToCloseTimeout: 1_500 }, { retry: { maximumAttempts: 2 } }];
      const outcomes: unknown[] = await Promise.all(
        limits.map(async (options): Promise<unknown> => (await start(options)).result()),
      );
      for (const outcome of outcomes) {
        expect(outcome).toMatchObject({
          code: 'COMMAND_OUTCOME_UNKNOWN',
          commandId: 'the-deposit',
          message: expect.stringMatching(
            /'deposit' to 'Wallet-1' .* command id 'the-deposit'\. .* The database is away\./,
          ) as unknown,
          isCancelled: false,
        });
      }
    });

    it('is told so when no worker takes it in its time', async () => {
      const start = await useCommands();
      const handle = await start({ taskQueue: 'nobody-listens', scheduleToCloseTimeout: 500 });
      expect(await handle.result()).toMatchObject({
        code: 'COMMAND_OUTCOME_UNKNOWN',
        message: expect.stringContaining("poll the task queue 'nobody-listens'?") as unknown,
      });
    });

    it('sees its own cancellation as that', async () => {
      const start = await useCommands();
      const handle = await start({ taskQueue: 'nobody-listens' });
      await expect.poll(async () => (await handle.describe()).raw.pendingActivities?.length).toBe(1);
      await handle.cancel();
      expect(await handle.result()).toEqual({ isCancelled: true });
    });
  });
});
