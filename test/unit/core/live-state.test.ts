import {
  AggregateRepository,
  AggregateRoot,
  createCommandHandler,
  defineEvents,
  withEvents,
  type DomainEvent,
  type EventStore,
  type EventToAppend,
  type StandardSchema,
} from 'temporal-event-store';
import { cachingEventStore } from 'temporal-event-store/cache';
import { MemoryEventStore } from 'temporal-event-store/memory';
import { beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';

type Joined = DomainEvent<'Joined', { readonly email: string; readonly role?: string }>;

class Group extends AggregateRoot<Joined> {
  static readonly category = 'Group';
  members: object[] = [];
  join(...emails: string[]): void {
    for (const email of emails) {
      if (this.emails.includes(email)) throw new Error(`${email} is there`);
      this.raise({ type: 'Joined', data: { email } });
    }
  }
  get emails(): string[] {
    return this.members.map((member) => (member as Joined['data']).email);
  }
  protected apply({ data }: Joined): void {
    this.members.push(data);
  }
}

const group = {
  category: 'Group',
  initialState: (): readonly string[] => [],
  evolve: (emails: readonly string[], { data }: Joined) => [...emails, data.email],
  decide: (_emails: readonly string[], { email }: { readonly email: string }): readonly Joined[] => [
    { type: 'Joined', data: { email } },
  ],
};

/** Counts how often it is applied, and changes also what it has made. */
function exclaiming(isAsync = false): { readonly schema: StandardSchema; readonly inputs: unknown[] } {
  const inputs: unknown[] = [];
  const schema: StandardSchema = {
    '~standard': {
      version: 1,
      vendor: 'test',
      validate: (data) => {
        const { email, ...rest } = data as Joined['data'];
        inputs.push(email);
        const value = { ...rest, email: `${email}!` };
        return isAsync ? Promise.resolve({ value }) : { value };
      },
    },
  };
  return { schema, inputs };
}

const email = z.string().trim().toLowerCase();
const schema = z.object({ email, role: z.string().default('member') });
const asyncSchema = z.object({ email: email.refine(async (each) => Promise.resolve(each !== 'nobody')) });

let memory: MemoryEventStore;

beforeEach(() => {
  memory = new MemoryEventStore();
});

function storeWith(joined: StandardSchema): EventStore {
  return withEvents(memory, defineEvents({ Joined: { schema: joined } }));
}

function groupsIn(store: EventStore): AggregateRepository<Group> {
  return new AggregateRepository(store, Group);
}

async function stored(id = '1'): Promise<unknown[]> {
  return (await memory.readStream(`Group-${id}`)).events.map(({ data }) => data);
}

async function emailsStored(): Promise<string[]> {
  return (await stored()).map((data) => (data as Joined['data']).email);
}

describe('an aggregate that was loaded from a store with schemas', () => {
  it('applies what its schema makes of an event, and keeps that', async () => {
    const groups = groupsIn(storeWith(schema));
    const loaded = await groups.load('1');
    loaded.join(' Ann@Example.org ');
    const made = { email: 'ann@example.org', role: 'member' };

    expect(loaded.members).toEqual([made]);
    expect(loaded.uncommittedEvents).toEqual([{ type: 'Joined', data: made, schemaVersion: 1 }]);
    await groups.save(loaded);
    expect(await stored()).toEqual([made]);
    expect((await groups.load('1')).members).toEqual(loaded.members);
  });

  it('decides on it within a command, and after it was saved', async () => {
    const groups = groupsIn(storeWith(schema));
    await expect(
      groups.execute('1', (each) => {
        each.join('Ann', ' ann');
      }),
    ).resolves.toMatchObject({
      version: 2,
    });
    const loaded = await groups.load('2');
    loaded.join('Ann ');
    await groups.save(loaded);
    expect(() => {
      loaded.join('ann');
    }).toThrow('ann is there');
  });

  it('applies nothing that does not fit its schema', async () => {
    const loaded = await groupsIn(storeWith(schema)).load('1');
    loaded.join('ann');
    expect(() => {
      loaded.join(7 as never);
    }).toThrow(expect.objectContaining({ code: 'INVALID_EVENT', path: 'events[1].data.email' }));
    expect(loaded.emails).toEqual(['ann']);
    expect(loaded.uncommittedEvents).toHaveLength(1);
  });

  it('applies nothing that its schema makes into what JSON can not hold', async () => {
    const dated = z.object({ email: z.coerce.date() });
    const loaded = await groupsIn(storeWith(dated)).load('1');
    expect(() => {
      loaded.join('2024-01-01');
    }).toThrow(expect.objectContaining({ code: 'INVALID_EVENT', path: 'events[0].data.email' }));
    expect(loaded.members).toEqual([]);
  });

  it('sees the data as JSON gives it back, also what the schema put into it', async () => {
    const odd = z.object({ email, role: z.string().optional() }).transform((data) => ({
      ...data,
      role: undefined,
      weight: -0,
    }));
    const loaded = await groupsIn(storeWith(odd)).load('1');
    loaded.join('ann');
    expect(loaded.members).toStrictEqual([{ email: 'ann', weight: 0 }]);
  });
});

describe('a schema is applied once to an event', () => {
  it.each<[string, (store: EventStore) => EventStore]>([
    ['', (store) => store],
    [', behind a cache', (store) => cachingEventStore(store)],
    [', behind a decorator that spreads the store and tags events', tagging],
    [', below other schemas', (store) => withEvents(store, defineEvents({ Joined: { schema: z.any() } }))],
    [', below a list of types', (store) => withEvents(store, defineEvents({ Joined: {} }))],
  ])('by a repository%s', async (_how, around) => {
    const { schema: counted, inputs } = exclaiming();
    const groups = groupsIn(around(storeWith(counted)));
    const loaded = await groups.load('1');
    loaded.join('ann', 'bob');
    await groups.save(loaded);
    await groups.execute('1', (each) => {
      each.join('eve');
    });

    expect(loaded.emails).toEqual(['ann!', 'bob!']);
    expect(await emailsStored()).toEqual(['ann!', 'bob!', 'eve!']);
    expect(inputs).toEqual(['ann', 'bob', 'eve']);
  });

  it('by a repository, also when it is asynchronous, and when the aggregate is new', async () => {
    const { schema: counted, inputs } = exclaiming(true);
    await groupsIn(storeWith(counted)).execute('1', (each) => {
      each.join('ann');
    });
    expect(await emailsStored()).toEqual(['ann!']);
    expect(inputs).toEqual(['ann']);

    const kept = await groupsIn(storeWith(asyncSchema)).load('1');
    kept.join('bob');
    await groupsIn(storeWith(asyncSchema)).save(kept);
    const made = new Group('2');
    made.join('ann');
    await groupsIn(storeWith(z.object({ email }))).save(made);
    expect(await stored('2')).toEqual([{ email: 'ann' }]);
  });

  it('by a command handler, which returns what it has made', async () => {
    for (const isAsync of [false, true]) {
      const { schema: counted, inputs } = exclaiming(isAsync);
      const { events } = await createCommandHandler(storeWith(counted), group).execute('1', { email: 'ann' });
      expect(events).toMatchObject([{ type: 'Joined', data: { email: 'ann!' } }]);
      expect(inputs).toEqual(['ann']);
    }
    expect(await emailsStored()).toEqual(['ann!', 'ann!']);
  });

  it('but again to an event of another type that is made around what it has made', async () => {
    const { schema: counted, inputs } = exclaiming();
    const store = withEvents(
      memory,
      defineEvents({ Joined: { schema: counted }, Left: { schema: counted } }),
    );
    const loaded = await groupsIn(store).load('1');
    loaded.join('ann');
    const [event] = loaded.uncommittedEvents as [EventToAppend];
    await store.appendToStream('Group-1', [{ ...event, type: 'Left' }]);
    expect(inputs).toEqual(['ann', 'ann!']);
  });
});

describe('an aggregate that can not know in time what is stored', () => {
  const waits = { message: expect.stringContaining('Nothing was stored') as string };

  it.each<[string, () => Promise<Group>, StandardSchema]>([
    ['is new', async () => new Group('1'), schema],
    ['has an asynchronous schema', () => groupsIn(storeWith(asyncSchema)).load('1'), asyncSchema],
  ])('is not saved when it %s and has applied something else', async (_what, make, joined) => {
    const aggregate = await make();
    aggregate.join(' Ann ');
    await expect(groupsIn(storeWith(joined)).save(aggregate)).rejects.toMatchObject({
      code: 'INVALID_EVENT',
      path: 'events[0].data.email',
      ...waits,
    });
    expect(await stored()).toEqual([]);
  });

  it('is not saved when the schema fills something in', async () => {
    const aggregate = new Group('1');
    aggregate.join('ann');
    await expect(groupsIn(storeWith(schema)).save(aggregate)).rejects.toMatchObject({
      path: 'events[0].data.role',
    });
  });

  it('may execute a command of one event, which is stored as its schema makes it', async () => {
    await groupsIn(storeWith(asyncSchema)).execute('1', (each) => {
      each.join(' Ann ');
    });
    expect(await emailsStored()).toEqual(['ann']);
  });

  it('may not raise another on what is not stored', async () => {
    const groups = groupsIn(storeWith(asyncSchema));
    const execute = groups.execute('1', (each) => {
      each.join(' Ann ', 'ann');
    });
    await expect(execute).rejects.toMatchObject({ code: 'INVALID_EVENT', ...waits });
    await groups.execute('1', (each) => {
      each.join('ann', ' Bob ');
    });
    expect(await emailsStored()).toEqual(['ann', 'bob']);
  });

  it('hears from its save of what does not fit an asynchronous schema', async () => {
    const loaded = await groupsIn(storeWith(asyncSchema)).load('1');
    loaded.join('ann', 'nobody');
    await expect(groupsIn(storeWith(asyncSchema)).save(loaded)).rejects.toMatchObject({
      code: 'INVALID_EVENT',
      path: 'events[1].data.email',
    });
    expect(await stored()).toEqual([]);
  });
});

describe('a store that says only at the append that its schemas change events', () => {
  /** As `proxyEventStore` and `TemporalEventStore` are: the schemas are on the worker. */
  function remote(joined: StandardSchema): EventStore {
    const store = storeWith(joined);
    return {
      appendToStream: (...args) => store.appendToStream(...args),
      readStream: (...args) => store.readStream(...args),
      readAll: (...args) => store.readAll(...args),
      findCommit: (...args) => store.findCommit(...args),
    };
  }

  it('lets an aggregate decide no more once it has applied something else', async () => {
    const groups = new AggregateRepository(remote(schema), Group, { snapshots: memory.snapshots });
    const loaded = await groups.load('1');
    loaded.join(' Ann ');
    expect(await groups.save(loaded)).toMatchObject({ version: 1, changedBySchema: true });

    const refused = { code: 'INVALID_ARGUMENT', message: expect.stringContaining('Load it again') as string };
    expect(() => {
      loaded.join('bob');
    }).toThrow(expect.objectContaining(refused));
    await expect(groups.saveSnapshot(loaded)).rejects.toMatchObject(refused);
    expect((await groups.load('1')).emails).toEqual(['ann']);
  });

  it('lets it go on when nothing was changed', async () => {
    const groups = groupsIn(remote(z.object({ email })));
    const loaded = await groups.load('1');
    for (const each of ['ann', 'bob']) {
      loaded.join(each);
      expect(await groups.save(loaded)).not.toHaveProperty('changedBySchema');
    }
    expect(await emailsStored()).toEqual(['ann', 'bob']);
  });

  it('lets it apply what is stored, with the schemas around it', async () => {
    const events = defineEvents({ Joined: { schema } });
    const groups = groupsIn(withEvents(remote(schema), events));
    const loaded = await groups.load('1');
    loaded.join(' Ann ');
    await groups.save(loaded);
    loaded.join('bob');
    await groups.save(loaded);
    expect(await stored()).toEqual(loaded.members);
  });
});

describe('what was raised', () => {
  it.each([
    ['without schemas', () => memory as EventStore],
    ['with schemas', () => storeWith(schema)],
  ])('can be changed by nobody, %s', async (_what, storeOf) => {
    const groups = groupsIn(storeOf());
    const loaded = await groups.load('1');
    loaded.join('ann');
    const [event] = loaded.uncommittedEvents as unknown as [{ data: { email: string } }];
    expect(() => {
      event.data.email = 'eve';
    }).toThrow(TypeError);
    (loaded.members[0] as { email: string }).email = 'eve';
    await groups.save(loaded);
    const [read] = (await memory.readStream<Joined>('Group-1')).events;
    (read?.data as { email: string }).email = 'eve';
    expect(await emailsStored()).toEqual(['ann']);
  });
});

/** Makes other events around the data, and an object of its own around the store. */
function tagging(store: EventStore): EventStore {
  return {
    ...store,
    appendToStream: (streamId, events, options) =>
      store.appendToStream(
        streamId,
        events.map((event) => ({ ...event, tags: ['tagged'] })),
        options,
      ),
  };
}
