import { defineProjection, type ProjectionDefinition } from 'temporal-event-store';
import { MemoryEventStore } from 'temporal-event-store/memory';
import { describe, expect, it } from 'vitest';
import { UnseenTypes } from '../../../src/temporal/activities/projections/unseen-types.js';

const handler = () => undefined;

function projection(definition: Partial<ProjectionDefinition>) {
  return defineProjection({ name: 'any', handlers: { Opened: handler, Closd: handler }, ...definition });
}

describe('the types that a projection waits for and nobody ever appended', () => {
  it.each<[string, Partial<ProjectionDefinition>, string[]]>([
    ['those of its handlers', {}, ['Closd']],
    ['those of its filter', { filter: { types: ['Opend'] } }, ['Opend']],
    [
      'those of several filters',
      { filter: [{ types: ['Opend', 'Opened'] }, { types: ['Closd'] }] },
      ['Opend', 'Closd'],
    ],
    ['none where any type is wanted', { filter: [{ types: ['Opend'] }, { categories: ['Account'] }] }, []],
    ['none without a filter', { handlers: undefined, handlePage: handler } as never, []],
  ])('are %s', async (_what, definition, expected) => {
    const store = new MemoryEventStore();
    await store.appendToStream('Account-1', [{ type: 'Opened', data: {} }]);
    expect(await new UnseenTypes(store).of(projection(definition))).toEqual(expected);
  });

  it('are looked for until they were seen', async () => {
    const store = new MemoryEventStore();
    let reads = 0;
    const readAll = store.readAll.bind(store);
    store.readAll = (...options) => {
      reads++;
      return readAll(...options);
    };
    const unseen = new UnseenTypes(store);
    expect(await unseen.of(projection({}))).toEqual(['Opened', 'Closd']);
    await store.appendToStream('Account-1', [{ type: 'Opened', data: {} }]);
    expect(await unseen.of(projection({}))).toEqual(['Closd']);
    expect(reads).toBe(4);
    await store.appendToStream('Account-1', [{ type: 'Closd', data: {} }]);
    expect(await unseen.of(projection({}))).toEqual([]);
    expect(await unseen.of(projection({}))).toEqual([]);
    expect(reads).toBe(5);
  });

  it('are not all looked for at once', async () => {
    const types = Array.from({ length: 50 }, (_, index) => `Type${index}`);
    const unseen = await new UnseenTypes(new MemoryEventStore()).of(projection({ filter: { types } }));
    expect(unseen).toEqual(types.slice(0, 20));
  });
});
