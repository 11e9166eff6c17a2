import { iterateAll, iterateStream, type EventStore, type RecordedEvent } from 'temporal-event-store';
import { MemoryEventStore } from 'temporal-event-store/memory';
import { beforeEach, describe, expect, it } from 'vitest';
import { deposited } from '../fixtures/account.js';
import { observe } from '../fixtures/observed-store.js';

let store: MemoryEventStore;

beforeEach(async () => {
  store = new MemoryEventStore();
  await store.appendToStream('Account-1', [1, 2, 3, 4, 5].map(deposited));
});

async function all(events: AsyncIterable<RecordedEvent>): Promise<number[]> {
  const versions: number[] = [];
  for await (const event of events) versions.push(event.version);
  return versions;
}

const broken = new Error('Disk full');

/** A store whose second page can't be read. */
function breaking(): EventStore {
  let reads = 0;
  const failSecond = (): void => {
    if (++reads === 2) throw broken;
  };
  return {
    ...observe(store).store,
    readStream: (...args) => (failSecond(), store.readStream(...args)),
    readAll: (...args) => (failSecond(), store.readAll(...args)),
  };
}

describe('iterateStream', () => {
  it('has nothing where there is no stream', async () => {
    expect(await all(iterateStream(store, 'Account-2'))).toEqual([]);
  });

  it.each([
    [{ limit: 2 }, [1, 2, 3, 4, 5]],
    [{ limit: 2, fromVersion: 2, toVersion: 4 }, [2, 3, 4]],
    [{ limit: 5 }, [1, 2, 3, 4, 5]],
    [{ limit: 2, direction: 'backward' }, [5, 4, 3, 2, 1]],
    [{ limit: 1, direction: 'backward', fromVersion: 4, toVersion: 2 }, [4, 3, 2]],
    [{ fromVersion: 6 }, []],
  ] as const)('reads %j', async (options, versions) => {
    expect(await all(iterateStream(store, 'Account-1', options))).toEqual(versions);
  });

  it('reads a page only when it is asked for its events', async () => {
    const { store: observed, seen } = observe(store);
    const events = iterateStream(observed, 'Account-1', { limit: 2 });
    expect(seen.streamReads).toHaveLength(0);
    await events.next();
    await events.next();
    expect(seen.streamReads).toHaveLength(1);
    await events.next();
    expect(seen.streamReads).toHaveLength(2);
  });

  it('ends at a page without events, whatever the store says about it', async () => {
    const store: EventStore = {
      ...observe(new MemoryEventStore()).store,
      readStream: (streamId) => Promise.resolve({ streamId, version: 9, events: [], isEnd: false }),
    };
    expect(await all(iterateStream(store, 'Account-1'))).toEqual([]);
  });

  it('reads a page once, however many ask for its events', async () => {
    const { store: observed, seen } = observe(store);
    const events = iterateStream(observed, 'Account-1', { limit: 2 });
    await Promise.all(Array.from({ length: 5 }, () => events.next()));
    expect(seen.streamReads.map(({ options }) => options.fromVersion ?? 1)).toEqual([1, 3, 5]);
  });

  it('reads the next page while this one is used, where the store says that it should', async () => {
    const { store: observed, seen } = observe(store);
    const events = iterateStream({ ...observed, readsAhead: true } as EventStore, 'Account-1', { limit: 2 });
    await events.next();
    await expect.poll(() => seen.streamReads.length).toBe(2);
    expect([...(await all(events))]).toEqual([2, 3, 4, 5]);
    expect(seen.streamReads).toHaveLength(3);
  });

  it('throws the error of a page that was read ahead when its turn comes', async () => {
    const events = iterateStream({ ...breaking(), readsAhead: true } as EventStore, 'Account-1', {
      limit: 2,
    });
    for (const version of [1, 2]) expect(await events.next()).toMatchObject({ value: { version } });
    await expect(events.next()).rejects.toBe(broken);
  });

  it('reads to the end that the stream has when the last page is read', async () => {
    const versions: number[] = [];
    for await (const event of iterateStream(store, 'Account-1', { limit: 3 })) {
      versions.push(event.version);
      if (event.version === 2) await store.appendToStream('Account-1', [deposited(6)]);
    }
    expect(versions).toEqual([1, 2, 3, 4, 5, 6]);
  });
});

describe('iterateAll', () => {
  it('has nothing in an empty store', async () => {
    expect(await all(iterateAll(new MemoryEventStore()))).toEqual([]);
  });

  it('goes on past pages of which the filter takes nothing', async () => {
    await store.appendToStream('Account-2', [deposited(6)]);
    await store.appendToStream('Payment-1', [{ type: 'Captured', data: {} }]);
    const filter = { categories: ['Payment'] };
    expect(await all(iterateAll(store, { filter, limit: 1 }))).toEqual([1]);
  });

  it('passes on that its position is ahead of the store', async () => {
    await expect(all(iterateAll(store, { after: 6 }))).rejects.toMatchObject({
      code: 'POSITION_AHEAD_OF_STORE',
      position: 6,
      lastPosition: 5,
    });
  });
});

describe.each([
  ['iterateStream', (from: EventStore, options: object) => iterateStream(from, 'Account-1', options)],
  ['iterateAll', iterateAll],
])('%s', (_name, iterate) => {
  it('passes on an error of the store, after the events before it', async () => {
    const versions: number[] = [];
    const read = async (): Promise<void> => {
      for await (const event of iterate(breaking(), { limit: 2 })) versions.push(event.version);
    };
    await expect(read()).rejects.toBe(broken);
    expect(versions).toEqual([1, 2]);
  });

  it('rejects with the reason when its signal aborts, at the next page', async () => {
    const controller = new AbortController();
    const events = iterate(store, { limit: 2, signal: controller.signal });
    await events.next();
    controller.abort(new Error('enough'));

    expect(await events.next()).toMatchObject({ value: { version: 2 } });
    await expect(events.next()).rejects.toThrow('enough');
    expect(await events.next()).toEqual({ value: undefined, done: true });
  });

  it('answers calls that are made at the same time in turn', async () => {
    const events = iterate(store, { limit: 2 });
    const answers = await Promise.all(Array.from({ length: 7 }, () => events.next()));
    expect(answers.map(({ value }) => (value as RecordedEvent | undefined)?.version)).toEqual([
      ...[1, 2, 3, 4, 5],
      undefined,
      undefined,
    ]);
  });

  it('ends when its consumer stops, also while a page is awaited', async () => {
    const events = iterate(store, { limit: 2 });
    const pending = events.next();
    expect(await events.return()).toEqual({ value: undefined, done: true });
    expect(await pending).toEqual({ value: undefined, done: true });

    const others = iterate(store, { limit: 2 });
    await others.next();
    await expect(others.throw(broken)).rejects.toBe(broken);
    expect(await others.next()).toEqual({ value: undefined, done: true });
  });

  it('ends when it is disposed of', async () => {
    const events = iterate(store, { limit: 2 });
    await events.next();
    await (events as unknown as AsyncDisposable)[Symbol.asyncDispose]();
    expect(await events.next()).toEqual({ value: undefined, done: true });
  });

  it('refuses unknown options', async () => {
    await expect(iterate(store, { pageSize: 2 } as never).next()).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
  });
});
