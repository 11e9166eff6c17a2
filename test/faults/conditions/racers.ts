import { randomInt, randomUUID } from 'node:crypto';
import pg from 'pg';
import {
  isEventStoreError,
  streamId,
  type AppendCondition,
  type EventFilter,
  type EventStore,
  type EventToAppend,
  type MultiStreamAppends,
} from 'temporal-event-store';
import type { PostgresEventStore } from 'temporal-event-store/postgres';

// Racers for what only one may have. Each event says under which condition it was appended, so that the log alone proves
// afterwards whether all conditions held.

export const limits = { seats: 8, course: 6, student: 3 };
export const balanceAtFirst = 50;

type Store = EventStore & MultiStreamAppends;
export type Outcomes = Record<string, { appended: number; refused: number }>;

export interface RaceOptions {
  /** Racers take turns with these. */
  readonly stores: readonly PostgresEventStore[];
  /** For transactions of racers. */
  readonly url: string;
  readonly racers: number;
  /** Asked by each racer before each turn. */
  readonly goesOn: (turns: number) => boolean;
  /** How many things there are of each kind: the fewer, the hotter. */
  readonly things: number;
  /** What a racer does about an error that is no refusal. Default: the race fails. */
  readonly onError?: (error: unknown) => void;
}

export async function race({ stores, url, racers, goesOn, things, onError }: RaceOptions): Promise<Outcomes> {
  const outcomes: Outcomes = {};
  const run = async (racer: number): Promise<void> => {
    for (let turns = 0; goesOn(turns); turns++) {
      const store = stores[(racer + turns) % stores.length] as PostgresEventStore;
      const [kind, race] = pick(Object.entries(kinds));
      const outcome = (outcomes[kind] ??= { appended: 0, refused: 0 });
      try {
        if (await race({ store, url, things })) outcome.appended++;
      } catch (error) {
        if (isEventStoreError(error, 'APPEND_CONDITION_FAILED')) outcome.refused++;
        else if (onError === undefined) throw error;
        else onError(error);
      }
    }
  };
  await Promise.all(Array.from({ length: racers }, (_, racer) => run(racer)));
  return outcomes;
}

interface Turn {
  readonly store: Store & Partial<Pick<PostgresEventStore, 'inTransaction'>>;
  readonly url: string;
  readonly things: number;
  /** Whether what is appended may be sent again. A transaction takes a condition only at its start. */
  readonly isFirst?: boolean;
}

/** @returns whether something was appended */
type Kind = (turn: Turn) => Promise<boolean>;

const kinds: Readonly<Record<string, Kind>> = {
  email: one((thing) => ({
    filter: { types: ['EmailTaken'], tags: [`email:${thing}`] },
    type: 'EmailTaken',
    limit: 1,
  })),
  seat: one((thing) => ({
    filter: { types: ['Seated'], tags: [`flight:${thing}`] },
    type: 'Seated',
    limit: limits.seats,
  })),
  'only a type': one((thing) => ({
    filter: { types: [`Elected${thing}`] },
    type: `Elected${thing}`,
    limit: 1,
  })),
  'only a category': one((thing) => ({
    filter: { categories: [`Board${thing}`] },
    type: 'Joined',
    category: `Board${thing}`,
    limit: 2,
  })),
  everything: async ({ store }) => {
    const { last, condition } = await readAll(store, [{}]);
    await store.appendToStream(
      streamId('Alone', randomUUID()),
      [event('Alone', condition, [`last:${last}`])],
      { condition },
    );
    return true;
  },
  course: async ({ store, things }) => {
    const [course, student] = [`course:${randomInt(things)}`, `student:${randomInt(things * 2)}`];
    const { taken, condition } = await readAll(store, [
      { types: ['Enrolled'], tags: [course] },
      { types: ['Enrolled'], tags: [student] },
    ]);
    if (taken.filter(({ tags }) => tags.includes(course)).length >= limits.course) return false;
    if (taken.filter(({ tags }) => tags.includes(student)).length >= limits.student) return false;
    await store.appendToStream(
      streamId('Enrolment', randomUUID()),
      [event('Enrolled', condition, [course, student])],
      {
        condition,
      },
    );
    return true;
  },
  transfer: async ({ store, things, isFirst = true }) => {
    const [from, to] = [`${randomInt(things)}`, `${things + randomInt(things)}`].sort(
      () => randomInt(2) - 0.5,
    );
    const { taken, condition } = await readAll(store, [{ tags: [`account:${from}`] }]);
    const balance = taken.reduce(
      (sum, { data }) => sum + ((data as { amount?: number }).amount ?? 0),
      balanceAtFirst,
    );
    const amount = 1 + randomInt(40);
    if (balance < amount) return false;
    const parts = [
      {
        streamId: `Account-${from}`,
        events: [event('Moved', condition, [`account:${from}`], { amount: -amount })],
      },
      { streamId: `Account-${to}`, events: [event('Moved', condition, [`account:${to}`], { amount })] },
    ];
    const commitId = randomUUID();
    await store.appendToStreams(parts, { condition, commitId });
    // Sent again, it meets its own events.
    if (isFirst && randomInt(4) === 0) await store.appendToStreams(parts, { condition, commitId });
    return true;
  },
  'plain with tags': async ({ store, things }) => {
    const tags = [`account:${randomInt(2 * things)}`, `flight:${randomInt(things)}`];
    await store.appendToStream(`Plain-${randomInt(20)}`, [{ type: 'Touched', data: {}, tags }]);
    return true;
  },
  'plain with many tags': async ({ store, things }) => {
    const tags = Array.from(
      { length: 150 },
      (_, index) => `account:${(index + randomInt(things)) % (3 * things)}-${index}`,
    );
    await store.appendToStream(`Import-${randomInt(5)}`, [
      { type: 'Touched', data: {}, tags: [...tags, `account:${randomInt(things)}`] },
    ]);
    return true;
  },
  'plain without tags': async ({ store }) => {
    await store.appendToStream(`Plain-${randomInt(20)}`, [{ type: 'Noted', data: {} }]);
    return true;
  },
  'open transaction': async ({ store, url, things }) => {
    const client = new pg.Client(url);
    client.on('error', () => undefined);
    await client.connect();
    try {
      await client.query('begin');
      const transaction = store.inTransaction?.(client) as Store;
      const kind = pick([
        kinds['seat'],
        kinds['course'],
        kinds['transfer'],
        kinds['plain with tags'],
      ] as Kind[]);
      // It reads outside: its own reads would see no more.
      await kind({ store: { ...around(store), ...appendsOf(transaction) }, url, things, isFirst: false });
      await new Promise((resolve) => setTimeout(resolve, randomInt(20)));
      await client.query(randomInt(3) === 0 ? 'rollback' : 'commit');
      return true;
    } finally {
      await client.end();
    }
  },
};

/** What has a limit of how many may have it. */
function one(
  of: (thing: string) => { filter: EventFilter; type: string; category?: string; limit: number },
): Kind {
  return async ({ store, things }) => {
    const { filter, type, category = 'Taken', limit } = of(`${randomInt(things)}`);
    const { taken, condition } = await readAll(store, [filter]);
    if (taken.length >= limit) return false;
    await store.appendToStream(
      streamId(category, randomUUID()),
      [event(type, condition, filter.tags ?? [])],
      { condition },
    );
    return true;
  };
}

async function readAll(store: Store, filter: readonly EventFilter[]) {
  const taken = [];
  for (let after = 0; ;) {
    const slice = await store.readAll({ after, filter, limit: 1_000 });
    taken.push(...slice.events);
    after = slice.position;
    if (slice.isEnd) return { taken, last: slice.position, condition: { filter, after: slice } };
  }
}

/** An event that says under which condition it was appended. */
function event(
  type: string,
  { filter, after }: AppendCondition,
  tags: readonly string[],
  data = {},
): EventToAppend {
  return { type, data: { ...data, condition: { filter, after: after.position } }, tags };
}

function around(store: Store): Store {
  return {
    appendToStream: (...args) => store.appendToStream(...args),
    appendToStreams: (...args) => store.appendToStreams(...args),
    readStream: (...args) => store.readStream(...args),
    readAll: (...args) => store.readAll(...args),
    findCommit: (...args) => store.findCommit(...args),
  };
}

function appendsOf(store: Store): Pick<Store, 'appendToStream' | 'appendToStreams'> {
  const { appendToStream, appendToStreams } = around(store);
  return { appendToStream, appendToStreams };
}

function pick<T>(items: readonly T[]): T {
  return items[randomInt(items.length)] as T;
}
