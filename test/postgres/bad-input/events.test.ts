import { describe, expect, test } from 'vitest';
import { useEmptyStore } from '../../support/postgres-store.js';
import { query } from '../../support/postgres.js';
import { brokenInvariants, countEvents } from '../../support/stored-events.js';

const happened = [{ type: 'Happened', data: {} }];

describe('a batch with events that are refused', () => {
  test('stores the others, to the letter', async () => {
    const { store, database } = await useEmptyStore({ maxCommitBytes: 1_000 });
    const hostile = {
      nul: 'a\u0000b',
      separator: '\u0001',
      quote: `'"\\`,
      array: '{"NULL",NULL,}',
      __proto: { constructor: 1 },
    };
    const append = (data: unknown) => store.appendToStream('Batch-1', [{ type: 'Happened', data }]);

    const outcomes = await Promise.allSettled([
      append(1),
      append({ text: 'x\ud800' }),
      append(hostile),
      append({ ['key\udc00']: 1 }),
      append('x'.repeat(1_000)),
      append(Number.NaN),
      append(2),
    ]);

    expect(
      outcomes.map((outcome) => (outcome.status === 'rejected' ? codeOf(outcome.reason) : 'stored')),
    ).toEqual([
      'stored',
      'INVALID_EVENT',
      'stored',
      'INVALID_EVENT',
      'EVENT_TOO_LARGE',
      'INVALID_EVENT',
      'stored',
    ]);
    const rows = await query(
      database.directUrl,
      'select data::text from event_store.events order by version',
    );
    expect(rows).toEqual([1, hostile, 2].map((data) => ({ data: JSON.stringify(data) })));
    expect((await store.readStream('Batch-1')).events.map((event) => event.data)).toEqual([1, hostile, 2]);
    expect(await brokenInvariants(database.directUrl)).toEqual([]);
  });

  test('by the database alone are the only ones to fail', async () => {
    const { store, database } = await useEmptyStore();
    await query(database.directUrl, `alter table event_store.events add check (type <> 'Poison')`);
    const append = (streamId: string, type: string) => store.appendToStream(streamId, [{ type, data: {} }]);

    const outcomes = await Promise.allSettled([
      append('A-1', 'Happened'),
      append('A-1', 'Poison'),
      append('A-1', 'Happened'),
      append('B-1', 'Poison'),
      store.appendToStream('C-1', [...happened, { type: 'Poison', data: {} }]),
      append('D-1', 'Happened'),
    ]);

    expect(
      outcomes.map((outcome) => (outcome.status === 'rejected' ? codeOf(outcome.reason) : 'stored')),
    ).toEqual(['stored', 'INVALID_ARGUMENT', 'stored', 'INVALID_ARGUMENT', 'INVALID_ARGUMENT', 'stored']);
    expect(outcomes[1]).toMatchObject({
      reason: { message: expect.stringMatching(/refused the call.*check constraint.*23514/) as string },
    });
    expect(await countEvents(database.directUrl)).toBe(3);
    expect(await query(database.directUrl, 'select stream_id from event_store.streams order by 1')).toEqual([
      { stream_id: 'A-1' },
      { stream_id: 'D-1' },
    ]);
    expect(await brokenInvariants(database.directUrl)).toEqual([]);
  });
});

const names = [
  `O'Brien"; drop table event_store.events; --`,
  `'); truncate event_store.events; --`,
  `\\'\\"\\\\`,
  '$1 $$ $& ${x}',
  '__schema__',
  'NULL',
  '{a,"b",NULL}',
  '%_*?',
  'żółć 日本 🙂 \u202e\u2028',
  'é versus e\u0301',
  ' spaces ',
  'x'.repeat(1_000),
  '日'.repeat(333),
];

describe('a hostile name', () => {
  test.each(names)('is taken to the letter, wherever it stands: %s', async (name) => {
    const { store, database } = await useEmptyStore();
    const event = { type: name, data: {}, tags: [name, 'b'], metadata: { correlationId: name } };
    const model = { name, version: 1 };
    const commits = ['one', 'two'].map((suffix) => name.slice(0, 300) + suffix);

    await store.appendToStream(name, [event], { commitId: commits[0]! });
    await store.appendToStream(name, [event, event], { commitId: commits[1]! });
    await store.checkpoints.save(name, { position: 3, storeId: name });
    await store.snapshots.save(name, model, 3, { name });

    const stored = { stream_id: name, type: name, tags: [name, 'b'], correlation_id: name };
    expect(
      await query(
        database.directUrl,
        `select stream_id, commit_id, type, tags, correlation_id from event_store.events order by position`,
      ),
    ).toEqual([0, 1, 1].map((index) => ({ ...stored, commit_id: commits[index] })));
    expect(await query(database.directUrl, 'select category from event_store.events limit 1')).toEqual([
      { category: name.split('-')[0] },
    ]);
    const { events } = await store.readStream(name);
    expect(events).toHaveLength(3);
    for (const each of events) expect(each).toMatchObject({ streamId: name, type: name, tags: [name, 'b'] });
    for (const filter of [
      { types: [name] },
      { tags: [name] },
      { correlationId: name },
      { types: [name, 'b'] },
    ]) {
      expect((await store.readAll({ filter })).events).toHaveLength(3);
    }
    expect(await store.findCommit(name, commits[1]!)).toMatchObject({ version: 3 });
    expect(await store.statistics()).toMatchObject({ byType: { [name]: 3 } });
    expect(await store.checkpoints.load(name)).toEqual({ position: 3, storeId: name });
    expect(await store.snapshots.load(name, model)).toEqual({ version: 3, state: { name } });
  });

  test('is told apart from one that looks the same', async () => {
    const { store, database } = await useEmptyStore();
    for (const id of ['Caf\u00e9-1', 'Cafe\u0301-1', 'CAF\u00c9-1', 'Caf\u00e9-1 ']) {
      await store.appendToStream(id, happened, { expectedVersion: 'noStream' });
    }

    expect(await countEvents(database.directUrl, 'version = 1')).toBe(4);
  });
});

function codeOf(error: unknown): unknown {
  return (error as { code?: unknown }).code;
}
