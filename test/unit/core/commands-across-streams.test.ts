import {
  AggregateRepository,
  AggregateRoot,
  createCommandHandler,
  DomainError,
  streamId,
  type Decided,
  type Decider,
  type DomainEvent,
  type EventStore,
  type StreamAppend,
} from 'temporal-event-store';
import { MemoryEventStore } from 'temporal-event-store/memory';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { observe, observeStreams } from '../fixtures/observed-store.js';

type Withdrawn = DomainEvent<'Withdrawn', { readonly cents: number }>;
type Deposited = DomainEvent<'Deposited', { readonly cents: number }>;
type WalletEvent = Withdrawn | Deposited;

const deposited = (cents: number): Deposited => ({ type: 'Deposited', data: { cents } });
const withdrawn = (cents: number): Withdrawn => ({ type: 'Withdrawn', data: { cents } });

interface Transfer {
  readonly cents: number;
  readonly to: string;
  readonly expectedVersion?: StreamAppend['expectedVersion'];
}

class Wallet extends AggregateRoot<WalletEvent> {
  static readonly category: string = 'Wallet';
  cents = 0;

  deposit(cents: number): void {
    this.raise(deposited(cents));
  }

  transfer({ cents, to, expectedVersion }: Transfer): void {
    if (cents > this.cents) throw new DomainError('Not enough');
    this.raise(withdrawn(cents));
    this.tell({
      streamId: streamId('Wallet', to),
      ...(expectedVersion !== undefined && { expectedVersion }),
      events: [deposited(cents)],
    });
  }

  tell(append: StreamAppend<WalletEvent>): void {
    this.alsoAppend(append);
  }

  protected apply({ type, data }: WalletEvent): void {
    this.cents += type === 'Deposited' ? data.cents : -data.cents;
  }
}

const wallet: Decider<number, Transfer, WalletEvent> = {
  category: 'Wallet',
  initialState: () => 0,
  evolve: (balance, { type, data }) => balance + (type === 'Deposited' ? data.cents : -data.cents),
  decide: (balance, { cents, to, expectedVersion }) => {
    if (cents > balance) throw new DomainError('Not enough');
    return [
      withdrawn(cents),
      {
        streamId: streamId('Wallet', to),
        ...(expectedVersion !== undefined && { expectedVersion }),
        events: [deposited(cents)],
      },
    ];
  },
};

type Execute = (
  store: EventStore,
  transfer: Transfer,
  options?: { readonly commandId?: string; readonly maxAttempts?: number },
) => Promise<{ readonly version: number; readonly deduplicated: boolean }>;

const byRepository: Execute = (store, transfer, options) =>
  new AggregateRepository(store, Wallet).execute(
    '1',
    (each) => {
      each.transfer(transfer);
    },
    options,
  );
const byHandler: Execute = (store, transfer, options) =>
  createCommandHandler(store, wallet).execute('1', transfer, options);

let store: MemoryEventStore;

beforeEach(async () => {
  store = new MemoryEventStore();
  await store.appendToStream('Wallet-1', [deposited(5)]);
});

async function stored(after = 1): Promise<readonly string[]> {
  return (await store.readAll({ after })).events.map(
    ({ streamId: stream, type, data }) => `${stream} ${type} ${(data as Deposited['data']).cents}`,
  );
}

describe.each([
  ['an aggregate', byRepository],
  ['a decider', byHandler],
])('a command of %s that appends to another stream, too', (_of, execute) => {
  it('stores both as one commit, and answers with the version of its own stream', async () => {
    await store.appendToStream('Wallet-2', [deposited(1), deposited(1)]);
    const outcome = await execute(store, { cents: 3, to: '2' }, { commandId: 'c' });
    expect(outcome).toMatchObject({ version: 2, deduplicated: false });
    expect(await stored(3)).toEqual(['Wallet-1 Withdrawn 3', 'Wallet-2 Deposited 3']);
    expect(await store.findCommit('Wallet-2', 'c')).toMatchObject({ version: 3, position: 5 });
  });

  it('takes effect once', async () => {
    await execute(store, { cents: 3, to: '2' }, { commandId: 'c' });
    await store.appendToStream('Wallet-1', [deposited(9)]);
    expect(await execute(store, { cents: 3, to: '2' }, { commandId: 'c' })).toMatchObject({
      version: 2,
      deduplicated: true,
    });
    expect(await stored()).toEqual(['Wallet-1 Withdrawn 3', 'Wallet-2 Deposited 3', 'Wallet-1 Deposited 9']);
  });

  it('is found when its reply was lost', async () => {
    const { store: losing } = observeStreams(store);
    losing.appendToStreams = async (...args) => {
      await store.appendToStreams(...args);
      throw new Error('Connection reset');
    };
    await expect(execute(losing, { cents: 3, to: '2' }, { commandId: 'c' })).rejects.toThrow('reset');
    expect(await execute(store, { cents: 3, to: '2' }, { commandId: 'c' })).toMatchObject({
      version: 2,
      deduplicated: true,
    });
  });

  it('is decided again when its own stream has changed', async () => {
    let left = 1;
    const { store: observed } = observeStreams(store, {
      append: async () => (left-- > 0 ? store.appendToStream('Wallet-1', [withdrawn(4)]) : undefined),
    });
    await expect(execute(observed, { cents: 3, to: '2' })).rejects.toThrow('Not enough');
    expect(await stored()).toEqual(['Wallet-1 Withdrawn 4']);
  });

  it('stores nothing when the other stream is not at its expected version', async () => {
    await store.appendToStream('Wallet-2', [deposited(1)]);
    const { store: observed, seen } = observeStreams(store);
    await expect(execute(observed, { cents: 3, to: '2', expectedVersion: 'noStream' })).rejects.toMatchObject(
      {
        code: 'VERSION_CONFLICT',
        streamId: 'Wallet-2',
        actualVersion: 1,
      },
    );
    expect(seen.appends).toHaveLength(1);
    expect(await stored(2)).toEqual([]);
  });

  it('may expect a version of the other stream', async () => {
    await execute(store, { cents: 3, to: '2', expectedVersion: 0 });
    expect(await stored()).toEqual(['Wallet-1 Withdrawn 3', 'Wallet-2 Deposited 3']);
  });

  it('is refused by a store that can not append to several streams', async () => {
    await expect(execute(observe(store).store, { cents: 3, to: '2' })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringContaining(`'Wallet-1', 'Wallet-2': it has no 'appendToStreams'`) as unknown,
    });
    expect(await stored()).toEqual([]);
  });

  it('is refused when the other stream is its own', async () => {
    await expect(execute(store, { cents: 3, to: '1' })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringContaining(`'Wallet-1' is the command's own stream`) as unknown,
    });
    expect(await stored()).toEqual([]);
  });

  it('moves money without losing or making any, amid the appends of others', async () => {
    await store.appendToStream('Wallet-1', [deposited(95)]);
    const there = Array.from({ length: 20 }, () =>
      execute(store, { cents: 5, to: '2' }, { maxAttempts: 50 }),
    );
    const elsewhere = Array.from({ length: 20 }, () =>
      store
        .appendToStream('Wallet-1', [withdrawn(1)])
        .then(() => store.appendToStream('Wallet-2', [deposited(1)])),
    );
    await Promise.allSettled(there);
    await Promise.all(elsewhere);
    const { events } = await store.readAll({ limit: 1000 });
    const total = events.reduce(
      (sum, { type, data }) => wallet.evolve(sum, { type, data } as WalletEvent),
      0,
    );
    expect(total).toBe(100);
  });
});

describe('a command that appends to another stream only', () => {
  const message = { message: expect.stringMatching(/'Wallet-2' must first append to 'Wallet-1'/) as unknown };

  it('is refused, by a repository when it executes and when it saves', async () => {
    const wallets = new AggregateRepository(store, Wallet);
    const tell = (each: Wallet): void => {
      each.tell({ streamId: 'Wallet-2', events: [deposited(1)] });
    };
    await expect(wallets.execute('1', tell)).rejects.toMatchObject(message);
    const loaded = await wallets.load('1');
    tell(loaded);
    await expect(wallets.save(loaded)).rejects.toMatchObject(message);
    expect(await stored()).toEqual([]);
  });

  it('is refused by a command handler', async () => {
    const decide = (): Decided<WalletEvent> => [{ streamId: 'Wallet-2', events: [deposited(1)] }];
    await expect(
      createCommandHandler(store, { ...wallet, decide }).execute('1', { cents: 1, to: '2' }),
    ).rejects.toMatchObject(message);
  });
});

describe('an aggregate that is saved', () => {
  it('appends what goes to other streams with its own events, once', async () => {
    const wallets = new AggregateRepository(store, Wallet);
    const loaded = await wallets.load('1');
    loaded.transfer({ cents: 2, to: '2' });
    expect(await wallets.save(loaded, { commitId: 'c', metadata: { actor: 'ann' } })).toMatchObject({
      streamId: 'Wallet-1',
      version: 2,
      position: 2,
    });
    expect(loaded).toMatchObject({ version: 2, uncommittedEvents: [], uncommittedAppends: [] });
    expect(await wallets.save(loaded)).toMatchObject({ eventIds: [] });
    loaded.transfer({ cents: 3, to: '3' });
    await wallets.save(loaded);
    expect(await stored()).toEqual([
      'Wallet-1 Withdrawn 2',
      'Wallet-2 Deposited 2',
      'Wallet-1 Withdrawn 3',
      'Wallet-3 Deposited 3',
    ]);
    expect((await store.readStream('Wallet-2')).events[0]?.metadata).toMatchObject({ actor: 'ann' });
  });

  it('keeps them when another append came first', async () => {
    const wallets = new AggregateRepository(store, Wallet);
    const loaded = await wallets.load('1');
    loaded.transfer({ cents: 2, to: '2' });
    await store.appendToStream('Wallet-1', [deposited(1)]);
    await expect(wallets.save(loaded)).rejects.toMatchObject({ code: 'VERSION_CONFLICT' });
    expect(loaded.uncommittedAppends).toHaveLength(1);
  });

  it('is no snapshot before', async () => {
    const wallets = new AggregateRepository(store, Wallet, { snapshots: store.snapshots });
    const loaded = await wallets.load('1');
    loaded.tell({ streamId: 'Wallet-2', events: [deposited(1)] });
    await expect(wallets.saveSnapshot(loaded)).rejects.toThrow('Save it first');
  });
});

describe('what an aggregate appends to other streams', () => {
  it('is one part for each stream, a copy, and not applied', () => {
    const each = new Wallet('1');
    const data = { cents: 1 };
    each.tell({ streamId: 'Wallet-2', events: [{ type: 'Deposited', data }] });
    data.cents = 100;
    each.tell({ streamId: 'Wallet-3', expectedVersion: 'noStream', events: [deposited(2)] });
    each.tell({ streamId: 'Wallet-2', expectedVersion: 7, events: [deposited(3), deposited(4)] });
    each.tell({ streamId: 'Wallet-2', events: [deposited(5)] });

    expect(each.uncommittedAppends).toEqual([
      { streamId: 'Wallet-2', expectedVersion: 7, events: [1, 3, 4, 5].map(deposited) },
      { streamId: 'Wallet-3', expectedVersion: 'noStream', events: [deposited(2)] },
    ]);
    expect(each).toMatchObject({ cents: 0, version: 0, uncommittedEvents: [] });
    expect(Object.isFrozen(each.uncommittedAppends[0]?.events[0]?.data)).toBe(true);
    expect(each.toSnapshot()).toEqual({ cents: 0 });
  });

  it.each<[string, unknown, RegExp]>([
    ['to a stream without a name', { streamId: '', events: [] }, /stream id is empty/],
    ['without a list of events', { streamId: 'Wallet-2' }, /'Wallet-2' has no list of events, but undefined/],
    [
      'that expects two versions of a stream',
      { streamId: 'Wallet-3', expectedVersion: 2, events: [] },
      /expects 'Wallet-3' at '1' and at '2'/,
    ],
  ])('is refused %s', (_what, append, message) => {
    const each = new Wallet('1');
    each.tell({ streamId: 'Wallet-3', expectedVersion: 1, events: [deposited(1)] });
    expect(() => {
      each.tell(append as StreamAppend<WalletEvent>);
    }).toThrow(
      expect.objectContaining({
        code: 'INVALID_ARGUMENT',
        message: expect.stringMatching(message) as unknown,
      }),
    );
    expect(each.uncommittedAppends).toHaveLength(1);
  });

  it('goes nowhere from an aggregate that does not know what was stored', async () => {
    const changing = observeStreams(store).store;
    const append = vi.spyOn(changing, 'appendToStream');
    append.mockImplementation(async (...args) => ({
      ...(await store.appendToStream(...args)),
      changedBySchema: true as const,
    }));
    const wallets = new AggregateRepository(changing, Wallet);
    const loaded = await wallets.load('1');
    loaded.deposit(1);
    await wallets.save(loaded);
    expect(() => {
      loaded.tell({ streamId: 'Wallet-2', events: [deposited(1)] });
    }).toThrow('Load it again');
  });
});
