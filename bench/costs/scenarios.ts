import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import type { AnyProjection, EventStore } from 'temporal-event-store';
import type { ProjectionClient as Projector } from 'temporal-event-store/client';
import { account } from '../commands/account.js';
import { AggregateClient, defineProjection, ProjectionClient, TemporalEventStore } from '../library.js';

/** What scenarios run on: a worker with the projections, whose store they may also append to without Temporal. */
export interface Surroundings {
  readonly client: Client;
  readonly taskQueue: string;
  readonly store: EventStore;
}

export interface Scenario {
  readonly name: string;
  /** What is shown: so many times what was measured. */
  readonly unit: string;
  readonly factor: number;
  /** What is done before the counting. */
  readonly prepare?: (surroundings: Surroundings) => Promise<unknown>;
  readonly run: (surroundings: Surroundings) => Promise<unknown>;
}

const commands = 1_000;
const idleProjections = 10;
/** Milliseconds until all shards are at their idle pace. */
const untilIdle = 90_000;
/** Milliseconds that a steady state is looked at. */
const idleWindow = 600_000;
const busyWindow = 120_000;
const hour = 3_600_000;

/** One of each that is looked at, so that none is disturbed by what came before. */
const [waited = '', busy = '', ...idle] = Array.from(
  { length: 2 + idleProjections },
  (_, index) => `projection-${index}`,
);

export const projections: readonly AnyProjection[] = [waited, busy, ...idle].map((name) =>
  defineProjection({ name, filter: { categories: [categoryOf(name)] }, handlePage: async () => undefined }),
);

/** Each has events of its own. */
function categoryOf(projection: string): string {
  return projection.replace('-', '');
}

function happen(store: EventStore, projection: string): ReturnType<EventStore['appendToStream']> {
  return store.appendToStream(`${categoryOf(projection)}-1`, [{ type: 'Happened', data: {} }]);
}

let projector: Projector | undefined;

/** One for the process, so that those who wait share what they can. */
function operator({ client, taskQueue }: Surroundings): Projector {
  return (projector ??= new ProjectionClient({ client, taskQueue }));
}

function commandsOf(callers: number, aggregates: number): Scenario {
  return {
    name: `commands of ${callers} ${callers === 1 ? 'caller' : 'callers at once'}, to ${aggregates} ${aggregates === 1 ? 'aggregate' : 'aggregates'}`,
    unit: '1,000 commands',
    factor: 1_000 / commands,
    run: async ({ client, taskQueue }) => {
      const accounts = new AggregateClient({ client, taskQueue, aggregate: account });
      let left = commands;
      await Promise.all(
        Array.from({ length: callers }, async (_, caller) => {
          while (left-- > 0) {
            await accounts.execute(String(caller % aggregates), 'deposit', { amount: 1 } as never);
          }
        }),
      );
      await accounts.close();
    },
  };
}

async function waitFor(surroundings: Surroundings, ahead: number, timeout: number): Promise<void> {
  const { events } = await surroundings.store.readAll({ direction: 'backward', limit: 1 });
  const position = (events[0]?.position ?? 0) + ahead;
  // Whether it gets there is the scenario's.
  await operator(surroundings)
    .waitFor(waited, position, { timeout })
    .catch(() => undefined);
}

async function andThenAppend(surroundings: Surroundings, waiters: number): Promise<void> {
  const waiting = Array.from({ length: waiters }, () => waitFor(surroundings, 1, 30_000));
  await delay(5_000);
  await happen(surroundings.store, waited);
  await Promise.all(waiting);
}

export const scenarios: readonly Scenario[] = [
  commandsOf(1, 1),
  commandsOf(64, 1),
  commandsOf(64, 64),
  {
    name: 'appends of `TemporalEventStore`',
    unit: '1,000 appends',
    factor: 10,
    run: async ({ client, taskQueue }) => {
      const store = new TemporalEventStore({ client, taskQueue });
      for (let n = 0; n < 100; n++) await store.appendToStream(`Log-${n}`, [{ type: 'Happened', data: {} }]);
    },
  },
  {
    name: '`waitFor` of what is there',
    unit: 'a call',
    factor: 1,
    prepare: async (surroundings) => {
      await operator(surroundings).start(waited);
      await happen(surroundings.store, waited);
      await waitFor(surroundings, 0, 30_000);
    },
    run: (surroundings) => waitFor(surroundings, 0, 30_000),
  },
  {
    name: '`waitFor` of what comes after 5 s',
    unit: 'a call',
    factor: 1,
    run: (surroundings) => andThenAppend(surroundings, 1),
  },
  {
    name: '`waitFor` that gives up after 20 s',
    unit: 'a call',
    factor: 1,
    run: (surroundings) => waitFor(surroundings, 1, 20_000),
  },
  {
    name: '200 `waitFor` of one process, of what comes after 5 s',
    unit: 'all 200',
    factor: 1,
    run: (surroundings) => andThenAppend(surroundings, 200),
  },
  {
    name: '`status`',
    unit: 'a call',
    factor: 1 / 20,
    run: async (surroundings) => {
      for (let n = 0; n < 20; n++) await operator(surroundings).status(waited);
    },
  },
  {
    name: 'a shard with an event a second',
    unit: 'an hour',
    factor: hour / busyWindow,
    prepare: (surroundings) => operator(surroundings).start(busy),
    run: async ({ store }) => {
      const end = performance.now() + busyWindow;
      while (performance.now() < end) {
        await happen(store, busy);
        await delay(1_000);
      }
    },
  },
  {
    name: 'an idle shard',
    unit: 'an hour',
    factor: hour / idleWindow / idleProjections,
    prepare: async (surroundings) => {
      for (const name of [waited, busy]) await operator(surroundings).stop(name);
      for (const name of idle) await operator(surroundings).start(name);
      await delay(untilIdle);
    },
    run: () => delay(idleWindow),
  },
];
