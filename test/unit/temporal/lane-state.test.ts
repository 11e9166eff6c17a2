import {
  AggregateRoot,
  defineEvents,
  DomainError,
  withEvents,
  type CommitChain,
  type DomainEvent,
  type EventStore,
  type JsonValue,
  type SnapshotStore,
  type StandardSchema,
} from 'temporal-event-store';
import {
  createAggregateActivities,
  type AggregateActivities,
  type AggregateActivitiesOptions,
  type AnyAggregate,
} from 'temporal-event-store/activities';
import { MemoryEventStore } from 'temporal-event-store/memory';
import { beforeEach, describe, expect, it } from 'vitest';
import { observe } from '../fixtures/observed-store.js';

type Joined = DomainEvent<'Joined', { readonly email: string }>;

class Group extends AggregateRoot<Joined> {
  static readonly category = 'Group';
  static readonly snapshotVersion: number = 1;
  static readonly commands = { join: true, joinTwice: true };
  emails: string[] = [];
  join({ email }: Joined['data']): void {
    if (this.emails.includes(email)) throw new DomainError('Taken');
    this.raise({ type: 'Joined', data: { email } });
  }
  joinTwice({ email }: Joined['data']): void {
    this.join({ email });
    this.join({ email: email.trim() });
  }
  protected apply({ data }: Joined): void {
    this.emails.push(data.email);
  }
}

const group = {
  category: 'Group',
  commands: { join: true },
  initialState: (): readonly string[] => [],
  evolve: (emails: readonly string[], { data }: Joined) => [...emails, data.email],
  decide: (emails: readonly string[], { data }: { readonly data: Joined['data'] }): readonly Joined[] => {
    if (emails.includes(data.email)) throw new DomainError('Taken');
    return [{ type: 'Joined', data }];
  },
};

let memory: MemoryEventStore;
let warnings: { readonly message: string; readonly error?: unknown; readonly category?: unknown }[];
let reads: number;

beforeEach(() => {
  memory = new MemoryEventStore();
  warnings = [];
  reads = 0;
});

/** Trims; counts its calls. */
function trimming(isAsync: boolean): { readonly schema: StandardSchema; calls: number } {
  const counted = {
    calls: 0,
    schema: {
      '~standard': {
        version: 1 as const,
        vendor: 'test',
        validate: (data: unknown) => {
          counted.calls++;
          const { email } = data as Joined['data'];
          const result =
            email === 'nobody' ? { issues: [{ message: 'No' }] } : { value: { email: email.trim() } };
          return isAsync ? Promise.resolve(result) : result;
        },
      },
    },
  };
  return counted;
}

function storeWith(schema: StandardSchema): EventStore & CommitChain {
  const store: EventStore & CommitChain = withEvents(memory, defineEvents({ Joined: { schema } }));
  return {
    ...store,
    readStream: (...args) => {
      reads++;
      return store.readStream(...args);
    },
  };
}

/** Sends commands in one batch each; says what became of them. */
function lane(
  aggregate: AnyAggregate,
  options: Omit<AggregateActivitiesOptions, 'aggregates'>,
): AggregateActivities & { readonly execute: (...emails: string[]) => Promise<string[]> } {
  const logger = {
    debug: () => 0,
    info: () => 0,
    warn: (message: string, attributes?: object) => warnings.push({ message, ...attributes }),
    error: () => 0,
  };
  const activities = createAggregateActivities({ ...options, logger, aggregates: [aggregate] });
  const execute = async (...emails: string[]): Promise<string[]> => {
    const commands = emails.map((email) => ({
      id: '1',
      commandId: crypto.randomUUID(),
      name: email.endsWith('*') ? 'joinTwice' : 'join',
      payload: { email: email.replace('*', '') },
    }));
    const outcomes = await activities.eventStoreExecute({ category: 'Group', commands });
    return outcomes.map((outcome) => {
      if (outcome.kind !== 'failed') return outcome.kind;
      const [fields] = outcome.error.details as readonly [{ readonly code: string }];
      return fields.code;
    });
  };
  return { ...activities, execute };
}

async function stored(): Promise<string[]> {
  const { events } = await memory.readStream<Joined>('Group-1');
  return events.map(({ data }) => data.email);
}

describe.each([
  ['a class', Group],
  ['a decider', group],
] as const)('a lane of %s', (_what, aggregate) => {
  it.each([
    ['synchronous', false],
    ['asynchronous', true],
  ])(
    'decides on what a schema made of the events, in one batch and in the next: %s',
    async (_how, isAsync) => {
      const counted = trimming(isAsync);
      const { execute } = lane(aggregate as AnyAggregate, { store: storeWith(counted.schema) });
      expect(await execute(' ann ', 'ann', 'bob ', 'eve')).toEqual([
        'committed',
        'rejected',
        'committed',
        'committed',
      ]);
      expect(await execute('bob', 'Bob')).toEqual(['rejected', 'committed']);
      expect(await stored()).toEqual(['ann', 'bob', 'eve', 'Bob']);
      expect(counted.calls).toBe(4);
    },
  );

  it('answers a command whose event does not fit its schema, and goes on with the others', async () => {
    for (const isAsync of [false, true]) {
      memory = new MemoryEventStore();
      const { execute } = lane(aggregate as AnyAggregate, { store: storeWith(trimming(isAsync).schema) });
      expect(await execute('ann', 'nobody', 'bob', 'ann')).toEqual([
        'committed',
        'INVALID_EVENT',
        'committed',
        'rejected',
      ]);
      expect(await stored()).toEqual(['ann', 'bob']);
    }
  });
});

describe('a lane of a class', () => {
  it('keeps its state, unless an asynchronous schema has changed the last event', async () => {
    const { execute } = lane(Group, { store: storeWith(trimming(true).schema) });
    await execute('ann');
    reads = 0;
    await execute('bob', 'eve');
    expect(reads).toBe(0);
    await execute(' Ann ', 'Bob');
    expect(reads).toBe(1);
    expect(await stored()).toEqual(['ann', 'bob', 'eve', 'Ann', 'Bob']);
  });

  it('refuses a command that went on deciding on what an asynchronous schema changed', async () => {
    const { execute } = lane(Group, { store: storeWith(trimming(true).schema) });
    expect(await execute('ann', ' bob *', 'eve')).toEqual(['committed', 'INVALID_EVENT', 'committed']);
    expect(await stored()).toEqual(['ann', 'eve']);
  });

  it('keeps no state that was changed behind a decorator that hides it', async () => {
    const inner: EventStore = withEvents(
      memory,
      defineEvents({ Joined: { schema: trimming(false).schema } }),
    );
    const store: EventStore = {
      appendToStream: (...args) => inner.appendToStream(...args),
      readStream: (...args) => inner.readStream(...args),
      readAll: (...args) => inner.readAll(...args),
      findCommit: (...args) => inner.findCommit(...args),
    };
    const { execute } = lane(Group, { store });
    expect([await execute(' ann '), await execute('ann')]).toEqual([['committed'], ['rejected']]);
  });
});

describe('a lane makes snapshots by itself', () => {
  class Tagged extends Group {
    tags = new Set<string>();
    override toSnapshot(): JsonValue {
      return { emails: this.emails };
    }
    override restoreSnapshot(state: JsonValue): void {
      Object.assign(this, state);
    }
    protected override apply(event: Joined): void {
      super.apply(event);
      if (event.data.email.length > 3) this.tags.add('long');
    }
  }
  const load = async () => memory.snapshots.load('Group-1', { name: 'Group', version: 1 });
  const options = () => ({ store: memory, snapshots: memory.snapshots, snapshotEvery: 1 });

  it('as long as they hold the whole state, and says which field they do not', async () => {
    const { execute } = lane(Tagged, options());
    await execute('ann');
    expect(await load()).toMatchObject({ version: 1 });
    await execute('longer');
    await execute('eve');
    expect(await load()).toMatchObject({ version: 1 });
    expect(warnings).toMatchObject([
      {
        message: 'Snapshots turned off for an aggregate',
        category: 'Group',
        streamId: 'Group-1',
        error: expect.stringContaining('state.tags is a Set of 1, and restored a Set of 0') as unknown,
      },
    ]);
  });

  it('and reads none once they do not', async () => {
    const { eventStoreExecute, execute } = lane(Tagged, { ...options(), cache: { max: 1 } });
    await execute('longer');
    await memory.snapshots.save('Group-1', { name: 'Group', version: 1 }, 1, { emails: [] });
    // Another aggregate takes its place among the states that are kept.
    await eventStoreExecute({
      category: 'Group',
      commands: [{ id: '2', commandId: 'c', name: 'join', payload: { email: 'ann' } }],
    });
    expect(await execute('longer')).toEqual(['rejected']);
  });

  it('and asks for them first where the last stream had one', async () => {
    const asked: string[] = [];
    const snapshots: SnapshotStore = {
      load: (streamId, model) => {
        asked.push(streamId);
        return memory.snapshots.load(streamId, model);
      },
      save: (...args) => memory.snapshots.save(...args),
      delete: (...args) => memory.snapshots.delete(...args),
    };
    const observed = observe(memory);
    const store = { ...observed.store, appendCommits: memory.appendCommits.bind(memory) };
    for (const id of ['1', '2', '3']) {
      const events = ['a', 'b', 'c'].map((email) => ({ type: 'Joined', data: { email } }));
      await memory.appendToStream(`Group-${id}`, id === '3' ? events.slice(0, 1) : events);
      await memory.snapshots.save(`Group-${id}`, { name: 'Group', version: 1 }, id === '3' ? 1 : 3, {
        emails: ['a', 'b', 'c'],
      });
    }
    const { eventStoreExecute } = lane(Group, { store, snapshots, snapshotEvery: 2, cache: { max: 1 } });
    const join = (id: string) =>
      eventStoreExecute({
        category: 'Group',
        commands: [{ id, commandId: crypto.randomUUID(), name: 'join', payload: { email: 'b' } }],
      });
    const readsOf = async (id: string) => {
      observed.seen.streamReads.length = 0;
      asked.length = 0;
      await join(id);
      return {
        from: observed.seen.streamReads.flatMap(({ options: { fromVersion } }) => fromVersion ?? []),
        asked: asked.length,
      };
    };
    expect(await readsOf('4')).toEqual({ from: [1], asked: 1 });
    expect(await readsOf('5')).toEqual({ from: [1], asked: 0 });
    expect(await readsOf('1')).toEqual({ from: [1, 4], asked: 1 });
    expect(await readsOf('2')).toEqual({ from: [4], asked: 1 });
    await memory.snapshots.delete('Group-3', { name: 'Group', version: 1 });
    expect(await readsOf('3')).toEqual({ from: [1], asked: 1 });
    expect(await readsOf('4')).toEqual({ from: [1], asked: 0 });
  });

  it.each<[string, (emails: readonly string[]) => unknown, number]>([
    ['of a decider', (emails) => emails, 1],
    ['of a decider with a -0 in its state', (emails) => [...emails, -0], 0],
  ])('%s', async (_what, finish, version) => {
    const decider = {
      ...group,
      evolve: (emails: readonly string[], event: Joined) => finish(group.evolve(emails, event)) as string[],
    };
    await lane(decider as AnyAggregate, options()).execute('ann');
    expect((await load())?.version ?? 0).toBe(version);
    expect(warnings).toHaveLength(1 - version);
  });
});
