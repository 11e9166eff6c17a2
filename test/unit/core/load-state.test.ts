import { InvalidArgumentError, type EventStore } from 'temporal-event-store';
import { MemoryEventStore } from 'temporal-event-store/memory';
import { beforeEach, describe, expect, it } from 'vitest';
import {
  assertStateIsJson,
  loadState,
  type LoadOptions,
  type StateBuilder,
} from '../../../src/core/aggregates/load-state.js';
import { observe } from '../fixtures/observed-store.js';

type Versions = readonly (number | string)[];

/** A state that says what it was made of. */
const builder: StateBuilder<Versions> = {
  create: () => [],
  restore: ({ version }) => [`snapshot ${version}`],
  apply: (state, event) => [...state, event.version],
};

let store: MemoryEventStore;

/** Five events, one a day. */
beforeEach(async () => {
  store = new MemoryEventStore();
  const days = [1, 2, 3, 4, 5];
  await store.appendToStream(
    'Account-1',
    days.map((day) => ({ type: 'Opened', data: {}, occurredAt: timeOf(day) })),
  );
});

function timeOf(day: number): string {
  return `2024-01-0${day}T00:00:00.000Z`;
}

const load = (
  options: LoadOptions<Versions>,
  from: EventStore = store,
): ReturnType<typeof loadState<Versions>> => loadState(from, 'Account-1', builder, options);

describe('the state of a stream', () => {
  it.each<[string, LoadOptions<Versions>, Versions, number]>([
    ['all of its events', {}, [1, 2, 3, 4, 5], 5],
    ['all of its events, page by page', { pageSize: 2 }, [1, 2, 3, 4, 5], 5],
    ['all of its events, each by itself for its size', { pageBytes: 1 }, [1, 2, 3, 4, 5], 5],
    ['those up to a version', { toVersion: 3 }, [1, 2, 3], 3],
    ['those up to a version, page by page', { toVersion: 3, pageSize: 2 }, [1, 2, 3], 3],
    ['none, up to version 0', { toVersion: 0 }, [], 0],
    ['those until a time, itself included', { until: timeOf(3) }, [1, 2, 3], 3],
    ['none, until a time before the first', { until: timeOf(0) }, [], 0],
    ['a snapshot and what follows', { snapshot: { version: 3, state: {} } }, ['snapshot 3', 4, 5], 5],
    ['an earlier state and what follows', { from: { version: 4, state: ['earlier'] } }, ['earlier', 5], 5],
    [
      'an earlier state rather than a snapshot',
      { from: { version: 4, state: ['earlier'] }, snapshot: { version: 3, state: {} } },
      ['earlier', 5],
      5,
    ],
    ['a snapshot that holds all there is', { snapshot: { version: 5, state: {} } }, ['snapshot 5'], 5],
  ])('is made of %s', async (_what, options, state, version) => {
    expect(await load(options)).toEqual({ state, version });
  });

  it.each<[string, LoadOptions<Versions>]>([
    ['a snapshot', { snapshot: { version: 6, state: {} } }],
    ['an earlier state', { from: { version: 6, state: ['earlier'] } }],
  ])('is not made of %s that the store has lost events of', async (_what, options) => {
    expect(await load(options)).toEqual({ state: [1, 2, 3, 4, 5], version: 5 });
    expect(await load({ ...options, toVersion: 2 })).toEqual({ state: [1, 2], version: 2 });
    expect(await load({ ...options, until: timeOf(2) })).toEqual({ state: [1, 2], version: 2 });
  });

  describe('whose snapshot can not be restored', () => {
    const broken = new Error('The snapshot is of another shape');
    const failing: StateBuilder<Versions> = {
      ...builder,
      restore: () => {
        throw broken;
      },
    };
    const snapshot = { version: 3, state: {} };

    it('is made of its events where somebody hears of it', async () => {
      const heard: unknown[] = [];
      const options = { snapshot, onBrokenSnapshot: (error: unknown) => void heard.push(error) };
      expect(await loadState(store, 'Account-1', failing, options)).toEqual({
        state: [1, 2, 3, 4, 5],
        version: 5,
      });
      expect(heard).toEqual([broken]);
    });

    it('is not made where nobody does', async () => {
      await expect(loadState(store, 'Account-1', failing, { snapshot })).rejects.toBe(broken);
    });
  });

  it('is read in pages of the size that is asked for', async () => {
    const { store: observed, seen } = observe(store);
    await load({ pageSize: 2 }, observed);
    expect(seen.streamReads.map(({ options }) => options)).toEqual([
      { fromVersion: 1, limit: 2 },
      { fromVersion: 3, limit: 2 },
      { fromVersion: 5, limit: 2 },
    ]);
  });
});

describe('a snapshot that is asked for behind the first events', () => {
  const later = (after: number, version?: number) => {
    const asked: number[] = [];
    const snapshot = version === undefined ? undefined : { version, state: {} };
    const ask = () => {
      asked.push(1);
      return Promise.resolve(snapshot);
    };
    return { asked, options: { laterSnapshot: { after, load: ask } } };
  };

  it.each<[string, number, number | undefined, Versions, number]>([
    ['is used', 2, 4, ['snapshot 4', 5], 1],
    ['is used when it holds all there is', 2, 5, ['snapshot 5'], 1],
    ['is not used when it is no further', 2, 2, [1, 2, 3, 4, 5], 1],
    ['need not be there', 2, undefined, [1, 2, 3, 4, 5], 1],
    ['is not asked for when these are all', 5, 4, [1, 2, 3, 4, 5], 0],
    ['is not used when the store has lost events of it', 2, 6, [1, 2, 3, 4, 5], 1],
  ])('%s', async (_what, after, version, state, times) => {
    const { asked, options } = later(after, version);
    expect(await load(options)).toEqual({ state, version: 5 });
    expect(asked).toHaveLength(times);
  });

  it('is passed over when it can not be restored', async () => {
    const broken = new Error('The snapshot is of another shape');
    const heard: unknown[] = [];
    const failing = {
      ...builder,
      restore: () => {
        throw broken;
      },
    };
    const { options } = later(2, 4);
    const onBrokenSnapshot = (error: unknown) => void heard.push(error);
    const loaded = await loadState(store, 'Account-1', failing, { ...options, onBrokenSnapshot });
    expect(loaded).toEqual({ state: [1, 2, 3, 4, 5], version: 5 });
    expect(heard).toEqual([broken]);
  });
});

describe('a state in a snapshot', () => {
  it('is what it was when it is JSON', () => {
    const state = { balance: 1, lines: [null] };
    expect(assertStateIsJson(state, 'Account')).toBe(state);
  });

  it('is refused when it is not, and the error says where and of what', () => {
    const check = (): unknown => assertStateIsJson({ lines: [new Date(0)] } as never, 'Account');
    expect(check).toThrow(InvalidArgumentError);
    expect(check).toThrow(/Account.*state\.lines\[0\]/);
  });
});
