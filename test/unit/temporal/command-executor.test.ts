import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  AggregateRoot,
  VersionConflictError,
  findEventStoreError,
  StoreUnavailableError,
  type CommitChain,
  type DomainEvent,
  type EventStore,
} from '../../../src/core/index.js';
import { MemoryEventStore } from '../../../src/memory/index.js';
import { AggregateRegistry } from '../../../src/temporal/activities/commands/aggregate-registry.js';
import { CommandExecutor } from '../../../src/temporal/activities/commands/command-executor.js';
import { noMetrics } from '../../../src/temporal/activities/commands/command-metrics.js';
import type { CommandOutcome, LaneCommand } from '../../../src/temporal/shared/command-lane.js';
import { Wallet, type WalletEvent } from '../../support/wallet.js';

type Store = EventStore & CommitChain;
/** What happens at an append. */
type Trouble = 'none' | 'foreign append' | 'lost request' | 'lost reply';

const trouble = fc.oneof(
  { weight: 3, arbitrary: fc.constant<Trouble>('none') },
  { weight: 1, arbitrary: fc.constantFrom<Trouble>('foreign append', 'lost request', 'lost reply') },
);
/** A few ids for many commands: many are sent again, some at the same time. */
const command = fc.record({
  wallet: fc.integer({ min: 1, max: 2 }),
  number: fc.integer({ min: 1, max: 12 }),
});
const plan = fc.record({
  batches: fc.array(fc.array(command, { minLength: 1, maxLength: 8 }), { minLength: 1, maxLength: 6 }),
  troubles: fc.array(trouble, { maxLength: 20 }),
  snapshotEvery: fc.constantFrom(1, 3, 500),
  maxStates: fc.constantFrom(1, 100),
});

/** The same number is the same command, whoever sends it. */
function commandOf({ wallet, number }: { wallet: number; number: number }): LaneCommand {
  const name = number % 3 === 0 ? 'deposit' : number % 5 === 0 ? 'raiseAndFail' : 'withdraw';
  return { id: `${wallet}`, commandId: `command-${number}`, name, payload: { amount: number } };
}

function troubled(inner: MemoryEventStore, troubles: readonly Trouble[]): Store {
  const left = [...troubles];
  return {
    appendToStream: inner.appendToStream.bind(inner),
    readStream: inner.readStream.bind(inner),
    readAll: inner.readAll.bind(inner),
    findCommit: inner.findCommit.bind(inner),
    async appendCommits(streamId, commits, options) {
      const next = left.shift() ?? 'none';
      if (next === 'lost request') throw new StoreUnavailableError('No answer.');
      if (next === 'foreign append') {
        const { version } = await inner.readStream(streamId);
        // Somebody takes all there is.
        const { events } = await inner.readStream<WalletEvent>(streamId, { limit: version + 1 });
        const balance = balanceOf(events);
        if (balance > 0) {
          await inner.appendToStream(streamId, [{ type: 'Withdrawn', data: { amount: balance } }], {
            expectedVersion: version,
          });
        }
      }
      const results = await inner.appendCommits(streamId, commits, options);
      if (next === 'lost reply') throw new StoreUnavailableError('No answer.');
      return results;
    },
  };
}

function balanceOf(events: readonly WalletEvent[]): number {
  return events.reduce((sum, { type, data }) => sum + (type === 'Deposited' ? data.amount : -data.amount), 0);
}

/** Runs the plan as workers would that try again; says what is wrong with what is stored and what was answered. */
async function faultsOf(
  { batches, troubles, snapshotEvery, maxStates }: typeof plan extends fc.Arbitrary<infer P> ? P : never,
  spoil: (store: Store) => Store = (store) => store,
): Promise<readonly string[]> {
  const inner = new MemoryEventStore();
  for (const wallet of [1, 2]) {
    await inner.appendToStream(`Wallet-${wallet}`, [{ type: 'Deposited', data: { amount: 10 } }]);
  }
  const executor = new CommandExecutor({
    store: spoil(troubled(inner, troubles)),
    aggregates: new AggregateRegistry([Wallet]),
    snapshots: inner.snapshots,
    snapshotEvery,
    maxStates,
    maxStateBytes: 1_000_000,
    batchTimeout: 5_000,
    onWarning: (message) => {
      if (message.startsWith('Snapshot')) throw new Error(message);
    },
  });
  const answers: Answer[] = [];
  let clock = 0;
  const run = async (batch: readonly LaneCommand[]): Promise<void> => {
    const sentAt = clock++;
    for (;;) {
      const outcomes = await executor.execute({ category: 'Wallet', commands: batch }, {}, noMetrics);
      if (outcomes.some(({ kind }) => kind === 'open')) continue;
      const answeredAt = clock++;
      for (const [index, each] of batch.entries()) {
        answers.push({ command: each, outcome: outcomes[index] as CommandOutcome, sentAt, answeredAt });
      }
      return;
    }
  };
  // Two at a time, as by two lanes.
  for (let index = 0; index < batches.length; index += 2) {
    await Promise.all(batches.slice(index, index + 2).map((batch) => run(batch.map(commandOf))));
  }
  return check(inner, answers);
}

interface Answer {
  readonly command: LaneCommand;
  readonly outcome: CommandOutcome;
  readonly sentAt: number;
  readonly answeredAt: number;
}

async function check(store: EventStore, answers: readonly Answer[]): Promise<readonly string[]> {
  const faults: string[] = [];
  for (const wallet of ['1', '2']) {
    const { events } = await store.readStream<WalletEvent>(`Wallet-${wallet}`, { limit: 1_000 });
    const versions = new Map<string, number>();
    for (const [index, { version, metadata }] of events.entries()) {
      if (balanceOf(events.slice(0, index + 1)) < 0) faults.push(`overdrawn at version ${version}`);
      const { causationId } = metadata;
      if (causationId === undefined) continue;
      if (versions.has(causationId)) faults.push(`${causationId} took effect twice`);
      versions.set(causationId, version);
    }
    const ofWallet = answers.filter(({ command: { id } }) => id === wallet);
    for (const { command, outcome, sentAt } of ofWallet) {
      const { commandId } = command;
      const others = ofWallet.filter((other) => other.command.commandId === commandId);
      if (outcome.kind === 'committed') {
        if (outcome.version !== versions.get(commandId)) faults.push(`${commandId} is not where it was said`);
        const firsts = others.filter(
          (other) => other.outcome.kind === 'committed' && !other.outcome.deduplicated,
        );
        if (firsts.length > 1) faults.push(`${commandId} was answered as the first twice`);
      } else if (others.some((other) => other.outcome.kind === 'committed' && other.answeredAt < sentAt)) {
        faults.push(`${commandId} was refused after it was committed`);
      }
    }
  }
  return faults;
}

/** Whether some plan shows the fault. */
async function isCaught(spoil: (store: Store) => Store): Promise<boolean> {
  const result = await fc.check(
    fc.asyncProperty(plan, async (each) => {
      const faults = await faultsOf(each, spoil).catch((error: unknown) => [String(error)]);
      return faults.length === 0;
    }),
    { numRuns: 500, seed: 1 },
  );
  return result.failed;
}

describe('commands', () => {
  it('take effect once and are answered right, through conflicts, lost requests and lost replies', async () => {
    await fc.assert(
      fc.asyncProperty(plan, async (each) => {
        expect(await faultsOf(each)).toEqual([]);
      }),
      { numRuns: 150 },
    );
  });

  it('would not, if their ids were not the ids of their commits', async () => {
    const spoil = (store: Store): Store => ({
      ...store,
      appendCommits: (streamId, commits, options) =>
        store
          .appendCommits(
            streamId,
            commits.map((commit) => ({ ...commit, commitId: crypto.randomUUID() })),
            options,
          )
          .then((results) =>
            results.map((result, index) => ({ ...result, commitId: commits[index]?.commitId ?? '' })),
          ),
      findCommit: async () => undefined,
    });
    expect(await isCaught(spoil)).toBe(true);
  });

  it('would not, if a conflict was not found', async () => {
    const spoil = (store: Store): Store => ({
      ...store,
      appendCommits: (streamId, commits) =>
        store.appendCommits(streamId, commits, { expectedVersion: 'any' }),
    });
    expect(await isCaught(spoil)).toBe(true);
  });

  it('would not, if a refusal was answered without a look at what is stored', async () => {
    const spoil = (store: Store): Store => {
      const found = new Set<string>();
      return {
        ...store,
        appendCommits: (streamId, commits, options) =>
          store.appendCommits(streamId, commits, options).catch((error: unknown) => {
            for (const id of findEventStoreError(error, 'COMMIT_EXISTS')?.commitIds ?? []) found.add(id);
            throw error;
          }),
        findCommit: async (streamId, commitId) =>
          found.has(commitId) ? store.findCommit(streamId, commitId) : undefined,
      };
    };
    expect(await isCaught(spoil)).toBe(true);
  });
});

describe('an aggregate that others change all the time', () => {
  it('ends the attempts with the conflict, which is typed', async () => {
    const inner = new MemoryEventStore();
    const executor = new CommandExecutor({
      store: {
        appendToStream: inner.appendToStream.bind(inner),
        readStream: inner.readStream.bind(inner),
        readAll: inner.readAll.bind(inner),
        findCommit: inner.findCommit.bind(inner),
        appendCommits: async (streamId) => {
          throw new VersionConflictError('Changed.', { streamId, expectedVersion: 0, actualVersion: 1 });
        },
      },
      aggregates: new AggregateRegistry([Wallet]),
      snapshots: undefined,
      snapshotEvery: 500,
      maxStates: 10,
      maxStateBytes: 1_000_000,
      batchTimeout: 5_000,
      onWarning: () => undefined,
    });
    const commands = [commandOf({ wallet: 1, number: 3 })];
    expect(await executor.execute({ category: 'Wallet', commands }, {}, noMetrics)).toMatchObject([
      { kind: 'failed', error: { type: 'temporal-event-store.VersionConflictError' } },
    ]);
  });

  it('lets no caller replace what the library says in the metadata', async () => {
    const store = new MemoryEventStore();
    const executor = new CommandExecutor({
      store,
      aggregates: new AggregateRegistry([Wallet]),
      snapshots: undefined,
      snapshotEvery: 500,
      maxStates: 10,
      maxStateBytes: 1_000_000,
      batchTimeout: 5_000,
      onWarning: () => undefined,
    });
    const mine = {
      actor: 'Ann',
      correlationId: 'c',
      workflowId: 'x',
      runId: 'x',
      causationId: 'x',
      commandHash: 'x',
    };
    const command = { ...commandOf({ wallet: 1, number: 3 }), metadata: mine };
    await executor.execute(
      { category: 'Wallet', commands: [command] },
      { workflowId: 'w', runId: 'r' },
      noMetrics,
    );
    const [event] = (await store.readStream('Wallet-1')).events;
    expect(event?.metadata).toMatchObject({
      actor: 'Ann',
      correlationId: 'c',
      workflowId: 'w',
      runId: 'r',
      causationId: command.commandId,
      commandHash: expect.not.stringMatching(/^x$/) as string,
    });
  });

  it.each([
    ['a class that says nothing of snapshots', {}, 0],
    ['a class with a snapshotVersion', { snapshotVersion: 1 }, 7],
  ])('makes snapshots by itself: %s', async (_what, statics, version) => {
    class Coupon extends AggregateRoot<DomainEvent<'Redeemed', object>> {
      static readonly category = 'Coupon';
      static readonly commands = { redeem: true };
      uses = 0;
      redeem(): void {
        this.raise({ type: 'Redeemed', data: {} });
      }
      protected apply(): void {
        this.uses++;
      }
    }
    const store = new MemoryEventStore();
    const { snapshots } = store;
    const aggregates = new AggregateRegistry([Object.assign(Coupon, statics)]);
    const options = {
      store,
      aggregates,
      snapshots,
      snapshotEvery: 1,
      maxStates: 10,
      maxStateBytes: 1_000_000,
      batchTimeout: 5_000,
      onWarning: () => undefined,
    };
    const executor = new CommandExecutor(options);
    for (let number = 0; number < 7; number++) {
      const commands = [{ id: '1', commandId: `${number}`, name: 'redeem' }];
      await executor.execute({ category: 'Coupon', commands }, {}, noMetrics);
    }
    const snapshot = await snapshots.load('Coupon-1', { name: 'Coupon', version: 1 });
    expect(snapshot?.version ?? 0).toBe(version);
  });
});

describe('commands of one aggregate that come by two lanes', () => {
  it('are appended together, and the same command is decided once', async () => {
    const store = new MemoryEventStore();
    let [appends, decided] = [0, 0];
    class Counter extends AggregateRoot {
      static readonly category = 'Counter';
      static readonly commands = { count: true };
      async count(): Promise<void> {
        decided++;
        await new Promise(setImmediate);
        this.raise({ type: 'Counted', data: {} });
      }
      protected apply(): void {
        // No rule depends on the state.
      }
    }
    const executor = new CommandExecutor({
      store: {
        appendToStream: store.appendToStream.bind(store),
        readStream: store.readStream.bind(store),
        readAll: store.readAll.bind(store),
        findCommit: store.findCommit.bind(store),
        appendCommits: (...args) => {
          appends++;
          return store.appendCommits(...args);
        },
      },
      aggregates: new AggregateRegistry([Counter]),
      snapshots: undefined,
      snapshotEvery: 500,
      maxStates: 10,
      maxStateBytes: 1_000_000,
      batchTimeout: 5_000,
      onWarning: () => undefined,
    });
    const count = (lane: string, ...commandIds: readonly string[]): Promise<readonly CommandOutcome[]> => {
      const commands = commandIds.map((commandId) => ({ id: '1', commandId, name: 'count' }));
      return executor.execute({ category: 'Counter', commands }, { workflowId: lane }, noMetrics);
    };

    const outcomes = await Promise.all([count('first', 'a'), count('second', 'b', 'a'), count('third', 'c')]);

    expect(outcomes.flat()).toMatchObject([
      { version: 1, deduplicated: false },
      { version: 2, deduplicated: false },
      { version: 1, deduplicated: true },
      { version: 3, deduplicated: false },
    ]);
    expect(decided).toBe(3);
    // What came while the first was decided went together.
    expect(appends).toBe(2);
    const { events } = await store.readStream('Counter-1');
    expect(events.map(({ metadata }) => metadata.workflowId)).toEqual(['first', 'second', 'third']);
  });
});
