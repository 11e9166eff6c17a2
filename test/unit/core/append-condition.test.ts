import type {
  AllSlice,
  AppendCondition,
  AppendResult,
  RecordedEvent,
  StreamSlice,
} from 'temporal-event-store';
import { MemoryEventStore } from 'temporal-event-store/memory';
import { beforeEach, describe, expect, it } from 'vitest';
import { checkCondition, conditionFailed } from '../../../src/core/store/append/append-condition.js';
import { deposited } from '../fixtures/account.js';

let store: MemoryEventStore;
let result: AppendResult;
let end: AllSlice;

beforeEach(async () => {
  store = new MemoryEventStore();
  result = await store.appendToStream('Account-1', [deposited(1), deposited(2)]);
  end = await store.readAll();
});

const check = (condition: unknown): unknown => checkCondition(condition as AppendCondition);

describe('a condition', () => {
  it('becomes a list of filters and a settled position, which are copies', () => {
    const tags = ['a'];
    const checked = checkCondition({ filter: { tags }, after: end });
    tags.push('b');
    const settled = { position: 2, storeId: end.storeId };
    expect(checked).toEqual({ filter: [{ tags: ['a'] }], after: settled });
    expect(JSON.parse(JSON.stringify(checked))).toEqual(checked);
    expect(checkCondition({ filter: [{}, { tags }], after: settled as never })).toEqual({
      filter: [{}, { tags: ['a', 'b'] }],
      after: settled,
    });
  });

  it('may be left out', () => {
    expect(checkCondition(undefined)).toBe(undefined);
  });

  it.each<[what: string, filter: unknown, message: string]>([
    ['no filter', undefined, `The option 'filter' of a condition is missing. {} takes every event.`],
    ['an empty list', [], 'An empty list of filters takes nothing'],
    [
      'too many filters',
      Array.from({ length: 101 }, () => ({})),
      'a condition has 101 filters; at most 100 are allowed.',
    ],
    [
      'times',
      [{}, { occurredTo: new Date() }],
      'The filter of a condition has times. Another append may store an event of any time, so filter by',
    ],
  ])('says what is wrong with its filter: %s', (_what, filter, message) => {
    const act = (): unknown => check({ filter, after: end });
    expect(act).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
    expect(act).toThrow(message);
  });

  const isNone = `'after' of a condition must be the last slice of a forward readAll, or its 'settled' position, not`;
  const isUnderWay =
    'an append with a smaller position than that of an event or append may still be under way.';

  it.each<[what: string, after: () => Promise<unknown>, message: string]>([
    ['nothing', async () => undefined, isNone],
    ['a number', async () => 2, isUnderWay],
    ['the result of an append', async () => result, isUnderWay],
    ['an event', async (): Promise<RecordedEvent | undefined> => end.events[0], isUnderWay],
    ['a stream', (): Promise<StreamSlice> => store.readStream('Account-1'), isUnderWay],
    [
      'a page that is not the last',
      () => store.readAll({ limit: 1 }),
      `'after' of a condition is a slice that ends before the end. Read on with 'after: slice.position', until 'isEnd'.`,
    ],
    [
      'a backward read',
      () => store.readAll({ direction: 'backward' }),
      `'after' of a condition is a slice without a settled position: it was read backwards, or by a store that knows none, or while an append was under way behind the position where the read began. Read forwards and with the filter of the condition, which waits for such an append.`,
    ],
    [
      'a position of no store',
      async () => ({ position: 2 }),
      `The option 'storeId' of 'after' of a condition must be a string`,
    ],
    [
      'a slice whose settled position is none',
      async () => ({ ...end, settled: { position: -1, storeId: 's' } }),
      `The option 'position' of 'after' of a condition must be an integer from 0, not -1.`,
    ],
  ])('says what is wrong with what it builds on: %s', async (_what, afterOf, message) => {
    const after = await afterOf();
    const act = (): unknown => check({ filter: {}, after });
    expect(act).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
    expect(act).toThrow(message);
  });

  it('says when its position is of another store, and what that store is', async () => {
    const append = store.appendToStream('Account-2', [deposited(1)], {
      condition: { filter: {}, after: await new MemoryEventStore().readAll() },
    });
    await expect(append).rejects.toMatchObject({
      code: 'POSITION_AHEAD_OF_STORE',
      position: 0,
      storeId: end.storeId,
      lastPosition: 2,
      message: expect.stringMatching(/^Position 0 is of store .*; this is .*decide again\.$/) as unknown,
    });
  });
});

describe('the error of a condition that failed', () => {
  const conflict = { position: 8, streamId: 'Account-1', type: 'Deposited', id: 'e' };

  it('says which event is in the way, and no more of it', () => {
    const error = conditionFailed(7, { ...conflict, data: 'secret' } as typeof conflict);
    expect(error).toMatchObject({ code: 'APPEND_CONDITION_FAILED', after: 7 });
    expect(error.conflict).toEqual(conflict);
    expect(error.message).toBe(
      `The append depends on events up to position 7, but 'Deposited' of stream 'Account-1' was appended meanwhile at position 8. ` +
        'Read on from there and decide again.',
    );
  });

  it('says no position of an event that was committed together with it', () => {
    const { position: _, ...together } = conflict;
    const error = conditionFailed(7, together);
    expect(error.conflict).toStrictEqual(together);
    expect(error.message).toContain(`stream 'Account-1' was appended meanwhile. Read on`);
  });
});
