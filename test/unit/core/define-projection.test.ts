import {
  defineProjection,
  HandlerError,
  type ProjectionDefinition,
  type RecordedEvent,
} from 'temporal-event-store';
import { describe, expect, it } from 'vitest';
import { isProjection } from '../../../src/core/projections/projection.js';

const handlers = { Opened: () => undefined };

describe('defineProjection', () => {
  it('fills in what is not said, and wants the events that have a handler', () => {
    expect(defineProjection({ name: 'any', handlers })).toMatchObject({
      name: 'any',
      version: 1,
      onPoison: 'stop',
      maxAttempts: 5,
      handlerTimeout: 60_000,
      shards: 1,
      pageSize: 500,
      pageBytes: 4_000_000,
      filter: [{ types: ['Opened'] }],
    });
    expect(defineProjection({ name: 'any', handlePage: () => undefined }).filter).toBeUndefined();
    expect(defineProjection({ name: 'any', handlers, filter: { categories: ['Account'] } }).filter).toEqual([
      { categories: ['Account'] },
    ]);
  });

  it('calls the handlers in order, each after the one before', async () => {
    const calls: string[] = [];
    const { handle } = defineProjection({
      name: 'any',
      handlers: {
        Opened: async ({ id }) => {
          await new Promise(setImmediate);
          calls.push(id);
        },
        Closed: ({ id }) => calls.push(id),
      },
    });
    const events = ['Opened', 'Unknown', 'toString', 'Closed'].map((type, index) => ({
      type,
      id: String(index),
    }));

    await handle(events as RecordedEvent[], undefined);

    expect(calls).toEqual(['0', '3']);
  });

  it('gives each handler its time, and one that takes longer no more', async () => {
    const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));
    const events = [{ type: 'Opened' }, { type: 'Opened' }, { type: 'Opened' }] as RecordedEvent[];
    const slow = { Opened: () => pause(60) };
    await defineProjection({ name: 'any', handlers: slow, handlerTimeout: 100 }).handle(events, undefined);
    let calls = 0;
    const hanging = { Opened: () => (++calls === 2 ? new Promise<void>(() => undefined) : undefined) };
    await expect(
      defineProjection({ name: 'any', handlers: hanging, handlerTimeout: 20 }).handle(events, undefined),
    ).rejects.toThrow(`'Opened' of 'any' was not done after 20 ms`);
    expect(calls).toBe(2);
    const page = { handlePage: () => new Promise<void>(() => undefined), handlerTimeout: 20 };
    await expect(defineProjection({ name: 'any', ...page }).handle(events, undefined)).rejects.toThrow(
      `'handlePage' of 'any' was not done after 20 ms`,
    );
  });

  it.each<[unknown, string]>([
    [{ handlers }, 'name'],
    [{ name: '', handlers }, 'name'],
    [{ name: 'any' }, `either 'handlers' or 'handlePage'`],
    [{ name: 'any', handlers, handlePage: () => undefined }, `either 'handlers' or 'handlePage'`],
    [{ name: 'any', handlers: { Opened: 1 } }, `no function for the event type 'Opened'`],
    [{ name: 'any', handlers: {} }, 'at least one'],
    [{ name: 'any', handlers, version: 0 }, 'version'],
    [{ name: 'any', handlers, shards: 1.5 }, 'shards'],
    [{ name: 'any', handlers, pageSize: 0 }, 'pageSize'],
    [{ name: 'any', handlers, pageBytes: 0 }, 'pageBytes'],
    [{ name: 'any', handlers, maxAttempts: -1 }, 'maxAttempts'],
    [{ name: 'any', handlers, handlerTimeout: 0 }, 'handlerTimeout'],
    [{ name: 'any', handlers, onPoison: 'ignore' }, 'onPoison'],
    [{ name: 'any', handlers, onPoison: 'park' }, 'no sink'],
    [{ name: 'any', handlers, filter: { typo: ['Opened'] } }, 'typo'],
    [{ name: 'any', handlers, filters: {} }, `no option 'filters'`],
    [undefined, 'name'],
  ])('refuses %j', (definition, said) => {
    expect(() => defineProjection(definition as ProjectionDefinition)).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT', message: expect.stringContaining(said) as string }),
    );
  });
});

describe('what looks like a projection', () => {
  const projection = defineProjection({ name: 'any', handlers });

  it('is one when it was defined as such', () => {
    expect(isProjection(projection)).toBe(true);
  });

  it.each([
    undefined,
    null,
    'any',
    {},
    { ...projection, name: undefined },
    { ...projection, version: '1' },
    { ...projection, handle: undefined },
  ])('is none when it is %j', (value) => {
    expect(isProjection(value)).toBe(false);
  });
});

it.each([
  ['an error', new TypeError('no'), 'TypeError: no'],
  ['something else', 'no', 'no'],
])('an error of a handler says what it threw, and keeps it: %s', (_what, cause, text) => {
  const error = new HandlerError(cause);
  expect(error.cause).toBe(cause);
  expect(error.message).toContain(text);
});
