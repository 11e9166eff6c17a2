import { readFile } from 'node:fs/promises';
import type { Client } from '@temporalio/client';
import {
  bundleWorkflowCode,
  DefaultLogger,
  NativeConnection,
  Worker,
  type WorkerOptions,
  type WorkerPlugin,
} from '@temporalio/worker';
import { AggregateRoot, defineProjection } from 'temporal-event-store';
import {
  createAggregateActivities,
  createEventStoreActivities,
  createProjectionActivities,
} from 'temporal-event-store/activities';
import { TemporalEventStore } from 'temporal-event-store/client';
import { MemoryEventStore } from 'temporal-event-store/memory';
import { EventStorePlugin } from 'temporal-event-store/worker';
import { beforeAll, describe, expect, inject, it } from 'vitest';
import { Account } from '../support/account.js';
import { bundlePath, connectClient, uniqueName, useWorker, workflowsModule } from '../support/temporal.js';
import { expectWorkerLog } from '../support/worker-log.js';

expectWorkerLog(/^WARN worker: The workflows of this worker lack those of temporal-event-store/);

let client: Client;
beforeAll(async () => {
  client = await connectClient();
});

const happened = { type: 'Happened', data: {} };

describe('EventStorePlugin', () => {
  it('works beside the workflows, activities and other plugins of its user', async () => {
    const store = new MemoryEventStore();
    const taskQueue = uniqueName('plugin');
    const seen: (string | undefined)[] = [];
    const other: WorkerPlugin = {
      name: 'other',
      configureWorker: (options: WorkerOptions) => {
        seen.push(options.workflowsPath);
        return options;
      },
    };
    await useWorker({
      taskQueue,
      workflowsPath: workflowsModule('own'),
      activities: { greet: async (name: string) => `Hello ${name}` },
      plugins: [new EventStorePlugin({ store }), other],
    });
    const remote = new TemporalEventStore({ client, taskQueue });
    await remote.appendToStream('Log-1', [happened]);

    expect((await store.readStream('Log-1')).version).toBe(1);
    expect(seen).toEqual([workflowsModule('own')]);
    expect(
      await client.workflow.execute('greeting', {
        taskQueue,
        workflowId: uniqueName('greet'),
        args: ['Ann'],
      }),
    ).toBe('Hello Ann');
  });

  it('may be registered on the connection and the worker at once', async () => {
    const store = new MemoryEventStore();
    const taskQueue = uniqueName('plugin');
    const plugin = new EventStorePlugin({ store, aggregates: [Account] });
    const { address, namespace } = inject('temporal');
    const connection = await NativeConnection.connect({ address, plugins: [plugin] });
    const worker = await Worker.create({ connection, namespace, taskQueue, plugins: [plugin] });
    const remote = new TemporalEventStore({ client, taskQueue });
    await worker.runUntil(async () => {
      await remote.appendToStream('Account-1', [{ type: 'Deposited', data: { amount: 5 } }]);
      expect(await remote.replay({ aggregate: 'Account', id: '1' })).toMatchObject({ version: 1 });
    });
    await connection.close();
  });

  it('leaves an activity alone that its user has replaced', () => {
    const plugin = new EventStorePlugin({ store: new MemoryEventStore() });
    const mine = async (): Promise<void> => undefined;
    const options = plugin.configureWorker({ taskQueue: 'q', activities: { eventStorePublish: mine } });
    expect(options.activities).toMatchObject({ eventStorePublish: mine });
    expect(plugin.configureWorker(options)).toEqual(options);
  });

  it('adds slots for its projections to those of the worker, once', () => {
    const projections = [
      defineProjection({ name: 'a', handlers: { A: () => undefined }, shards: 4 }),
      defineProjection({ name: 'b', handlers: { B: () => undefined } }),
    ];
    const plugin = new EventStorePlugin({ store: new MemoryEventStore(), projections });
    const slots = (given: Partial<WorkerOptions>) => {
      const options = plugin.configureWorker({ taskQueue: 'q', ...given });
      return plugin.configureWorker(options).maxConcurrentActivityTaskExecutions;
    };

    expect(slots({})).toBe(110);
    expect(slots({ maxConcurrentActivityTaskExecutions: 5 })).toBe(15);
  });

  describe('beside another', () => {
    const store = new MemoryEventStore();
    const appendPublisher = { publish: async () => undefined };
    const projection = (name: string) => defineProjection({ name, handlePage: () => undefined });
    const seen = projection('seen');
    class Other extends AggregateRoot {
      static readonly category = 'Other';
      protected apply(): void {
        // None of its events changes anything.
      }
    }
    type Options = ConstructorParameters<typeof EventStorePlugin>[0];
    const configure = (...all: readonly Omit<Options, 'store'>[]) =>
      all
        .map((each) => new EventStorePlugin({ store, ...each }))
        .reduce<WorkerOptions>((options, plugin) => plugin.configureWorker(options), { taskQueue: 'q' })
        .activities as Record<string, (request: unknown) => Promise<unknown>>;

    it.each<[string, object, object, RegExp]>([
      [
        'two stores',
        { aggregates: [Account] },
        { store: new MemoryEventStore(), projections: [seen] },
        /two stores: the MemoryEventStore \(aggregates: Account\) and the MemoryEventStore \(projections: seen \(version 1\)\)/,
      ],
      [
        'two stores with nothing else',
        {},
        { store: new MemoryEventStore() },
        /without aggregates and projections/,
      ],
      ['other aggregates', { aggregates: [Account] }, { aggregates: [Other] }, /Account and Other/],
      [
        'another aggregate of the same category',
        { aggregates: [Account] },
        { aggregates: [class extends Account {}] },
        /Account and Account/,
      ],
      [
        'other projections',
        { projections: [seen, projection('one')] },
        { projections: [seen, projection('two')] },
        /one \(version 1\) and two \(version 1\)/,
      ],
      [
        'another publisher',
        { appendPublisher },
        { appendPublisher: { ...appendPublisher } },
        /'appendPublisher' each/,
      ],
    ])('refuses %s', (_what, one, other, message) => {
      for (const order of [
        [one, other],
        [other, one],
      ]) {
        expect(() => configure(...order)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
      }
      expect(() => configure(one, other)).toThrow(message);
    });

    it.each([
      ['events', () => createEventStoreActivities({ store: new MemoryEventStore() })],
      [
        'aggregates',
        () => createAggregateActivities({ store: new MemoryEventStore(), aggregates: [Account] }),
      ],
      [
        'projections',
        () => createProjectionActivities({ store: new MemoryEventStore(), projections: [seen] }),
      ],
    ])('refuses activities for the %s of another store', (_what, create) => {
      const plugin = new EventStorePlugin({ store });
      const options = { taskQueue: 'q', activities: { ...create(), greet: async () => 'Hello' } };
      expect(() => plugin.configureWorker(options)).toThrow(/two stores/);
    });

    it.each<[string, object, object]>([
      [
        'the same again',
        { aggregates: [Account], appendPublisher },
        { aggregates: [Account], appendPublisher },
      ],
      ['aggregates beside projections', { aggregates: [Account] }, { projections: [seen], appendPublisher }],
      [
        'fewer',
        { aggregates: [Account, Other], projections: [seen], appendPublisher },
        { projections: [seen] },
      ],
      ['a projection defined again', { projections: [seen] }, { projections: [projection('seen')] }],
    ])('completes it: %s', async (_what, one, other) => {
      const expected = Object.keys(configure({ ...one, ...other })).sort();
      for (const order of [
        [one, other],
        [other, one],
      ]) {
        const activities = configure(...order);
        expect(Object.keys(activities).sort()).toEqual(expected);
        const append = { streamId: 'Log-1', events: [happened], expectedVersion: 'any', commitId: 'c' };
        const appended = await activities['eventStoreAppend']?.(append);
        const hasPublisher = [one, other].some((each) => 'appendPublisher' in each);
        expect(appended).toMatchObject({ publish: hasPublisher });
      }
    });

    it('knows the aggregates of the one that has more, in any order', async () => {
      for (const order of [
        [{ aggregates: [Account] }, { aggregates: [Account, Other] }],
        [{ aggregates: [Account, Other] }, { aggregates: [Account] }],
      ]) {
        const replay = configure(...order)['eventStoreReplay']?.({ aggregate: 'Other', id: '1' });
        expect(await replay).toMatchObject({ version: 0 });
      }
    });
  });

  it('adds no workflows to a worker that brings a bundle', () => {
    const plugin = new EventStorePlugin({ store: new MemoryEventStore() });
    const options = { taskQueue: 'q', workflowBundle: { code: '' } };
    expect(plugin.configureWorker(options).workflowsPath).toBe(undefined);
    expect(plugin.configureReplayWorker({}).workflowsPath).toMatch(/workflows\.cjs$/);
  });

  it.each([
    ['no store', undefined, /store/],
    ['something else as the store', { store: {} }, /EventStore/],
    ['an unknown option', { store: new MemoryEventStore(), projektions: [] }, /projektions/],
    [
      'two aggregates of one category',
      { store: new MemoryEventStore(), aggregates: [Account, class extends Account {}] },
      /Account/,
    ],
    [
      'a publisher that can not publish',
      { store: new MemoryEventStore(), appendPublisher: {} },
      /appendPublisher/,
    ],
  ])('refuses %s', (_what, options, message) => {
    expect(() => new EventStorePlugin(options as never)).toThrow(message);
  });
});

describe("a worker whose workflows lack the library's", () => {
  const lacking = workflowsModule('failures');
  const holding = workflowsModule('own');

  /** What the plugin says about a worker that starts. */
  async function startWith(
    options: Partial<WorkerOptions>,
    twice = false,
  ): Promise<readonly (readonly unknown[])[]> {
    const said: unknown[][] = [];
    const silent = (): void => undefined;
    const logger = {
      debug: silent,
      info: silent,
      warn: (...entry: unknown[]) => said.push(entry),
      error: silent,
    };
    const plugin = new EventStorePlugin({ store: new MemoryEventStore(), logger });
    const { address, namespace } = inject('temporal');
    const connection = await NativeConnection.connect({ address, plugins: twice ? [plugin] : [] });
    const worker = await Worker.create({
      connection,
      namespace,
      taskQueue: uniqueName('told'),
      ...options,
      plugins: [plugin],
    });
    await worker.runUntil(Promise.resolve());
    await connection.close();
    return said;
  }

  const told = [
    [
      expect.stringMatching(
        /task queue 'told-.*' gets no answer .* export \* from 'temporal-event-store\/workflows'\.$/,
      ),
      { sdkComponent: 'worker', taskQueue: expect.stringMatching(/^told-/) as unknown },
    ],
  ];
  const fromPath = async (path: string) => ({ codePath: await bundlePath(path) });
  const fromCode = async (path: string) => ({ code: await readFile(await bundlePath(path), 'utf8') });

  it.each([
    ['by a bundle in a file', async () => ({ workflowBundle: await fromPath(lacking) })],
    ['by a bundle in memory', async () => ({ workflowBundle: await fromCode(lacking) })],
    ['by their path', async () => ({ workflowsPath: lacking })],
  ])('is told what to write when it starts with them %s', async (_how, options) => {
    const said = await startWith(await options());
    await expect.poll(() => said).toEqual(told);
    // Once, too, by a plugin that is registered twice.
    const saidByTwo = await startWith(await options(), true);
    await expect.poll(() => saidByTwo).toEqual(told);
  });

  it.each([
    ['a bundle in a file that has them', async () => ({ workflowBundle: await fromPath(holding) })],
    ['a bundle in memory that has them', async () => ({ workflowBundle: await fromCode(holding) })],
    ['a path of workflows that have them', async () => ({ workflowsPath: holding })],
    ['a path, minified', async () => ({ workflowsPath: holding, bundlerOptions: minified })],
    ['no workflows of its own', async () => ({})],
  ])('is not that with %s', async (_what, options) => {
    expect(await startWith(await options())).toEqual([]);
  });

  const minified: NonNullable<WorkerOptions['bundlerOptions']> = {
    webpackConfigHook: (config) => ({ ...config, mode: 'production' }),
  };

  it('is told so also when they are minified, and by the log of the runtime', async () => {
    const { address, namespace } = inject('temporal');
    const connection = await NativeConnection.connect({ address });
    const worker = await Worker.create({
      connection,
      namespace,
      taskQueue: uniqueName('told'),
      workflowsPath: lacking,
      bundlerOptions: minified,
      plugins: [new EventStorePlugin({ store: new MemoryEventStore() })],
    });
    await worker.runUntil(Promise.resolve());
    await connection.close();
  });

  it('gets the same bundle as without the plugin', async () => {
    const plugin = new EventStorePlugin({ store: new MemoryEventStore() });
    const logger = new DefaultLogger('ERROR');
    const [plain, watched] = await Promise.all([
      bundleWorkflowCode({ workflowsPath: lacking, logger }),
      bundleWorkflowCode({ workflowsPath: lacking, logger, plugins: [plugin] }),
    ]);
    expect(watched.code).toBe(plain.code);
  });
});
