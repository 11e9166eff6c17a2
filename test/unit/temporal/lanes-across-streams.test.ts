import {
  AggregateRoot,
  defineEvents,
  DomainError,
  streamId,
  withEvents,
  type Decider,
  type DomainCommand,
  type DomainEvent,
  type EventStore,
  type StreamAppend,
} from 'temporal-event-store';
import { MemoryEventStore } from 'temporal-event-store/memory';
import { beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  AggregateRegistry,
  type AnyAggregate,
} from '../../../src/temporal/activities/commands/aggregate-registry.js';
import { CommandExecutor } from '../../../src/temporal/activities/commands/command-executor.js';
import { noMetrics } from '../../../src/temporal/activities/commands/command-metrics.js';
import { withCommitChain } from '../../../src/temporal/activities/commands/commit-chain.js';
import type { CommandOutcome, LaneCommand } from '../../../src/temporal/shared/command-lane.js';
import { observe, observeStreams } from '../fixtures/observed-store.js';

type WalletEvent =
  DomainEvent<'Withdrawn', { readonly cents: number }> | DomainEvent<'Deposited', { readonly cents: number }>;

const deposited = (cents: number): WalletEvent => ({ type: 'Deposited', data: { cents } });
const withdrawn = (cents: number): WalletEvent => ({ type: 'Withdrawn', data: { cents } });

interface Transfer {
  readonly cents: number;
  readonly to?: string;
  readonly expectedVersion?: StreamAppend['expectedVersion'];
  /** The transfer goes wrong after the events. */
  readonly fails?: true;
  /** Events for the other stream. Default 1. */
  readonly times?: number;
}

function elsewhere({ cents, to = '2', expectedVersion, times = 1 }: Transfer): StreamAppend<WalletEvent> {
  return {
    streamId: streamId('Wallet', to),
    ...(expectedVersion !== undefined && { expectedVersion }),
    events: Array.from({ length: times }, () => deposited(cents)),
  };
}

const commands = { deposit: true, transfer: true, tell: true };

class Wallet extends AggregateRoot<WalletEvent> {
  static readonly category = 'Wallet';
  static readonly snapshotVersion = 1;
  static readonly commands = commands;
  cents = 0;

  deposit({ cents }: Transfer): void {
    this.raise(deposited(cents));
  }

  transfer(transfer: Transfer): void {
    if (transfer.cents > this.cents) throw new DomainError('Not enough');
    this.raise(withdrawn(transfer.cents));
    this.alsoAppend(elsewhere(transfer));
    if (transfer.fails) throw new Error('After all');
  }

  tell(transfer: Transfer): void {
    this.alsoAppend(elsewhere(transfer));
  }

  protected apply({ type, data }: WalletEvent): void {
    this.cents += type === 'Deposited' ? data.cents : -data.cents;
  }
}

const wallet: Decider<{ readonly cents: number }, DomainCommand<string, Transfer>, WalletEvent> = {
  category: 'Wallet',
  commands,
  initialState: () => ({ cents: 0 }),
  evolve: ({ cents }, { type, data }) => ({
    cents: cents + (type === 'Deposited' ? data.cents : -data.cents),
  }),
  decide({ cents }, { type, data }) {
    if (type === 'deposit') return [deposited(data.cents)];
    if (type === 'tell') return [elsewhere(data)];
    if (data.cents > cents) throw new DomainError('Not enough');
    if (data.fails) throw new Error('After all');
    return [withdrawn(data.cents), elsewhere(data)];
  },
};

/** [command, payload], with the command's place as its id; or a third: its id. */
type Sent = readonly [name: string, payload: Transfer, commandId?: string];

let store: MemoryEventStore;
let conflicts: number;
let warnings: string[];

beforeEach(() => {
  store = new MemoryEventStore();
  conflicts = 0;
  warnings = [];
});

function executorOf(aggregate: AnyAggregate, over: EventStore = store) {
  const executor = new CommandExecutor({
    store: withCommitChain(over),
    aggregates: new AggregateRegistry([aggregate]),
    snapshots: store.snapshots,
    snapshotEvery: 1,
    maxStates: 100,
    maxStateBytes: 1_000_000,
    batchTimeout: 5_000,
    onWarning: (message) => warnings.push(message),
  });
  const metrics = { ...noMetrics, onConflict: () => conflicts++ };
  const commandOf = ([name, payload, commandId]: Sent, index: number): LaneCommand => ({
    id: '1',
    commandId: commandId ?? `${index}`,
    name,
    payload: { ...payload },
  });
  return (...sent: readonly Sent[]): Promise<readonly CommandOutcome[]> =>
    executor.execute({ category: 'Wallet', commands: sent.map(commandOf) }, { runId: 'r' }, metrics);
}

async function stored(): Promise<readonly string[]> {
  return (await store.readAll()).events.map(
    (event) => `${event.streamId} ${event.type} ${(event.data as Transfer).cents}`,
  );
}

const messageOf = (outcome: CommandOutcome | undefined): unknown =>
  outcome !== undefined && 'error' in outcome ? outcome.error.message : undefined;

describe.each<[string, AnyAggregate]>([
  ['a class', Wallet],
  ['a decider', wallet],
])('a command of %s that appends to another stream, in a lane', (_of, aggregate) => {
  it('is stored as one commit between those before and behind it, and its receipt has all parts', async () => {
    await store.appendToStream('Wallet-2', [deposited(1), deposited(1)]);
    const execute = executorOf(aggregate);

    const outcomes = await execute(
      ['deposit', { cents: 5 }],
      ['deposit', { cents: 5 }],
      ['transfer', { cents: 3, times: 2 }],
      ['transfer', { cents: 9 }],
      ['deposit', { cents: 1 }],
    );

    expect(await stored()).toEqual([
      'Wallet-2 Deposited 1',
      'Wallet-2 Deposited 1',
      'Wallet-1 Deposited 5',
      'Wallet-1 Deposited 5',
      'Wallet-1 Withdrawn 3',
      'Wallet-2 Deposited 3',
      'Wallet-2 Deposited 3',
      'Wallet-1 Deposited 1',
    ]);
    const { events } = await store.readAll();
    expect(outcomes).toMatchObject([
      { version: 1, position: 3 },
      { version: 2, position: 4 },
      {
        version: 3,
        position: 7,
        types: ['Withdrawn', 'Deposited', 'Deposited'],
        eventIds: events.slice(4, 7).map(({ id }) => id),
        deduplicated: false,
      },
      { kind: 'rejected' },
      { version: 4, position: 8 },
    ]);
    const metadata = { causationId: '2', runId: 'r', commitStreams: ['Wallet-1', 'Wallet-2'] };
    for (const event of events.slice(4, 7)) expect(event).toMatchObject({ commitId: '2', metadata });
    expect(await store.snapshots.load('Wallet-1', { name: 'Wallet', version: 1 })).toEqual({
      version: 4,
      state: { cents: 8 },
    });
    // The cached state knows nothing of the parts, and doesn't send them again.
    expect(await execute(['deposit', { cents: 1 }, 'next'])).toMatchObject([{ version: 5 }]);
    expect((await store.readStream('Wallet-2')).version).toBe(4);
  });

  it.each([
    ['by the same worker', 0],
    ['by another worker', 1],
  ])('takes effect once when it is sent again, %s', async (_by, other) => {
    const executors = [executorOf(aggregate), executorOf(aggregate)];
    const [first, again] = [executors[0]!, executors[other]!];
    await first(['deposit', { cents: 5 }, 'd']);
    const [receipt] = await first(['transfer', { cents: 3 }, 't']);
    await store.appendToStream('Wallet-1', [deposited(9)]);

    // The second time as the first of two, on a state that would allow it again.
    const repeated = await again(
      ['transfer', { cents: 3 }, 't'],
      ['transfer', { cents: 1 }, 't'],
      ['deposit', { cents: 1 }, 'e'],
    );

    expect(repeated).toMatchObject([
      { ...receipt, deduplicated: true },
      { kind: 'failed', error: { type: expect.stringContaining('CommitMismatchError') as unknown } },
      { version: 4 },
    ]);
    expect((await store.readStream('Wallet-2')).version).toBe(1);
  });

  it('is found after its reply was lost, also when it would be rejected by then', async () => {
    const { store: losing } = observeStreams(store);
    losing.appendToStreams = async (...args) => {
      await store.appendToStreams(...args);
      throw new Error('Connection reset');
    };
    const [, open, behind] = await executorOf(aggregate, losing)(
      ['deposit', { cents: 5 }],
      ['transfer', { cents: 5 }],
      ['deposit', { cents: 1 }],
    );
    expect([open, behind]).toMatchObject([
      { kind: 'open', reason: 'store' },
      { kind: 'open', reason: 'store' },
    ]);
    expect(await executorOf(aggregate)(['transfer', { cents: 5 }, '1'])).toMatchObject([
      { version: 2, position: 3, types: ['Withdrawn', 'Deposited'], deduplicated: true },
    ]);
    expect(await stored()).toHaveLength(3);
  });

  it('is decided again when its own stream has changed, and those before it stay', async () => {
    let appends = 0;
    const { store: observed } = observeStreams(store, {
      append: async () => (++appends === 2 ? store.appendToStream('Wallet-1', [withdrawn(4)]) : undefined),
    });
    const outcomes = await executorOf(aggregate, observed)(
      ['deposit', { cents: 5 }],
      ['transfer', { cents: 3 }],
      ['deposit', { cents: 1 }],
    );
    expect(outcomes).toMatchObject([{ version: 1 }, { kind: 'rejected' }, { version: 3 }]);
    expect(conflicts).toBe(1);
    expect(await stored()).toEqual(['Wallet-1 Deposited 5', 'Wallet-1 Withdrawn 4', 'Wallet-1 Deposited 1']);
  });

  it('fails at once when the other stream is past what it expects, alone', async () => {
    await store.appendToStream('Wallet-2', [deposited(1)]);
    const { store: observed, seen } = observeStreams(store);
    const outcomes = await executorOf(aggregate, observed)(
      ['deposit', { cents: 5 }],
      ['transfer', { cents: 1, expectedVersion: 'noStream' }],
      ['transfer', { cents: 2, expectedVersion: 'noStream' }],
      ['transfer', { cents: 3, expectedVersion: 1 }],
    );
    expect(outcomes).toMatchObject([
      { version: 1 },
      { kind: 'failed', error: { details: [{ code: 'VERSION_CONFLICT', streamId: 'Wallet-2' }] } },
      { kind: 'failed', error: { details: [{ code: 'VERSION_CONFLICT', streamId: 'Wallet-2' }] } },
      { version: 2, position: 4 },
    ]);
    // The deposit, the first of the two that fail, and the last.
    expect(seen.appends).toHaveLength(3);
    expect(warnings).toEqual([]);
  });

  it('fails alone where the store can not append to several streams', async () => {
    const outcomes = await executorOf(aggregate, observe(store).store)(
      ['deposit', { cents: 5 }],
      ['transfer', { cents: 1 }],
      ['deposit', { cents: 5 }],
    );
    expect(outcomes).toMatchObject([{ version: 1 }, { kind: 'failed' }, { version: 2 }]);
    expect(messageOf(outcomes[1])).toContain(`'Wallet-1', 'Wallet-2': it has no 'appendToStreams'`);
  });

  it('fails alone when its id is in use on the other stream', async () => {
    await store.appendToStream('Wallet-2', [deposited(1)], { commitId: '1' });
    const outcomes = await executorOf(aggregate)(
      ['deposit', { cents: 5 }],
      ['transfer', { cents: 1 }],
      ['deposit', { cents: 5 }],
    );
    expect(outcomes).toMatchObject([{ version: 1 }, { kind: 'failed' }, { version: 2 }]);
    expect(messageOf(outcomes[1])).toContain('or was appended to other streams');
  });

  it.each<[string, Sent, string]>([
    ['leaves its own stream out', ['tell', { cents: 1 }], `must first append to 'Wallet-1'`],
    ['names its own stream', ['transfer', { cents: 1, to: '1' }], `is the command's own stream`],
    ['throws', ['transfer', { cents: 1, fails: true }], 'After all'],
    ['has more events than an answer names', ['transfer', { cents: 1, times: 1_000 }], 'led to 1001 events'],
  ])('fails alone when it %s', async (_how, sent, message) => {
    const outcomes = await executorOf(aggregate)(['deposit', { cents: 5 }], sent, ['deposit', { cents: 1 }]);
    expect(outcomes).toMatchObject([{ version: 1 }, { kind: 'failed' }, { version: 2 }]);
    expect(messageOf(outcomes[1])).toContain(message);
    expect(await stored()).toEqual(['Wallet-1 Deposited 5', 'Wallet-1 Deposited 1']);
  });

  it('applies the schemas of events to those of other streams', async () => {
    const cents = z.object({ cents: z.number().max(100), currency: z.string().default('EUR') });
    const typed = withEvents(store, defineEvents({ Deposited: { schema: cents }, Withdrawn: {} }));
    const outcomes = await executorOf(aggregate, typed)(
      ['deposit', { cents: 100 }],
      ['deposit', { cents: 100 }],
      ['transfer', { cents: 150 }],
      ['transfer', { cents: 50 }],
    );
    expect(outcomes).toMatchObject([{ version: 1 }, { version: 2 }, { kind: 'failed' }, { version: 3 }]);
    expect(messageOf(outcomes[2])).toContain('appends[1].events[0].data.cents');
    const { events } = await store.readStream('Wallet-2');
    expect(events).toMatchObject([{ data: { cents: 50, currency: 'EUR' } }]);
  });
});
