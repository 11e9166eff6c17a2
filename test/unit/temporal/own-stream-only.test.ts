import { describe, expect, it } from 'vitest';
import { AggregateRoot, type Decider, type DomainEvent } from '../../../src/core/index.js';
import { MemoryEventStore } from '../../../src/memory/index.js';
import {
  AggregateRegistry,
  type AnyAggregate,
} from '../../../src/temporal/activities/commands/aggregate-registry.js';
import { CommandExecutor } from '../../../src/temporal/activities/commands/command-executor.js';
import { noMetrics } from '../../../src/temporal/activities/commands/command-metrics.js';
import type { LaneCommand } from '../../../src/temporal/shared/command-lane.js';

type Told = DomainEvent<'Told', null>;
const told: Told = { type: 'Told', data: null };
const elsewhere = { streamId: 'Teller-2', events: [told] };

class Teller extends AggregateRoot<Told> {
  static readonly category = 'Teller';
  static readonly commands = { tell: true, tellOthers: true, tellOthersOnly: true, failLater: true };
  tell(): void {
    this.raise(told);
  }
  tellOthers(): void {
    this.raise(told);
    this.alsoAppend(elsewhere);
  }
  tellOthersOnly(): void {
    this.alsoAppend(elsewhere);
  }
  failLater(): void {
    this.alsoAppend(elsewhere);
    throw new Error('Later');
  }
  protected apply(): void {
    // Nothing to remember.
  }
}

const teller: Decider<null, { readonly type: string; readonly data: null }, Told> = {
  category: 'Teller',
  commands: { tell: true, tellOthers: true, tellOthersOnly: true },
  initialState: () => null,
  evolve: () => null,
  decide: (_state, { type }) =>
    type === 'tell' ? [told] : type === 'tellOthers' ? [told, elsewhere] : [elsewhere],
};

function executorOf(aggregate: AnyAggregate): {
  readonly store: MemoryEventStore;
  readonly execute: (...names: readonly string[]) => ReturnType<CommandExecutor['execute']>;
} {
  const store = new MemoryEventStore();
  const executor = new CommandExecutor({
    store,
    aggregates: new AggregateRegistry([aggregate]),
    snapshots: store.snapshots,
    snapshotEvery: 500,
    maxStates: 100,
    maxStateBytes: 1_000_000,
    batchTimeout: 5_000,
    onWarning: () => undefined,
  });
  const commandOf = (name: string, index: number): LaneCommand => ({
    id: '1',
    commandId: `${index}`,
    name,
    payload: null,
  });
  return {
    store,
    execute: (...names) =>
      executor.execute({ category: 'Teller', commands: names.map(commandOf) }, {}, noMetrics),
  };
}

describe.each<[string, AnyAggregate]>([
  ['a class', Teller],
  ['a decider', teller],
])('a lane for %s', (_of, aggregate) => {
  it.each(['tellOthers', 'tellOthersOnly'])(
    'refuses the command %s, which appends to another stream, and goes on',
    async (name) => {
      const { store, execute } = executorOf(aggregate);
      const outcomes = await execute('tell', name, 'tell');
      const [before, refused, after] = outcomes;
      expect(refused).toMatchObject({
        kind: 'failed',
        error: {
          type: expect.stringContaining('InvalidArgumentError') as unknown,
          message: expect.stringContaining(`'${name}' also appends to 'Teller-2'`) as unknown,
        },
      });
      expect([before, after]).toMatchObject([{ version: 1 }, { version: 2 }]);
      expect((await store.readAll()).events.map(({ streamId }) => streamId)).toEqual([
        'Teller-1',
        'Teller-1',
      ]);
    },
  );
});

it('a lane keeps nothing of what a failed command wanted to append elsewhere', async () => {
  const { store, execute } = executorOf(Teller);
  const [failed, after] = await execute('failLater', 'tell');
  expect(failed).not.toHaveProperty('version');
  expect(after).toMatchObject({ version: 1 });
  expect((await store.readAll()).events).toHaveLength(1);
});
