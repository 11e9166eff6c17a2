import type { AppendResult } from 'temporal-event-store';
import { PostgresEventStore } from 'temporal-event-store/postgres';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Exchange } from '../../support/postgres-messages.js';
import { useEmptyStore } from '../../support/postgres-store.js';
import { connect, query, useTcpProxy } from '../../support/postgres.js';
import { openSessions, untilBlocked } from '../../support/sessions.js';
import { brokenInvariants, countEvents } from '../../support/stored-events.js';

const happened = [{ type: 'Happened', data: {} }];
/** That was answered by a row: a pooler may refuse a named statement first. */
const isAppend = ({ sql, tags }: Exchange): boolean =>
  sql.some((text) => text.includes('.append_')) && tags.includes('SELECT 1');

async function secondStore(connectionString: string): Promise<PostgresEventStore> {
  const store = await PostgresEventStore.connect({ connectionString });
  onTestFinished(() => store.close());
  return store;
}

describe('the same commit', () => {
  test('is known after thousands of later appends', async () => {
    const { store, database } = await useEmptyStore();
    const commit = { commitId: 'first', expectedVersion: 'noStream' } as const;
    const first = await store.appendToStream('Early-1', [...happened, ...happened], commit);
    await Promise.all(
      Array.from({ length: 3_000 }, (_, index) =>
        store.appendToStream(index % 3 === 0 ? 'Early-1' : `Late-${index}`, happened),
      ),
    );

    const again = await store.appendToStream('Early-1', [...happened, ...happened], commit);

    expect(again).toEqual({ ...first, deduplicated: true });
    expect(await countEvents(database.directUrl)).toBe(3_002);
    expect(await brokenInvariants(database.directUrl)).toEqual([]);
  });

  // The version is the one that the stream has by now, so it alone doesn't tell that the commit is stored.
  test.each([
    ['alone', 0, 1],
    ['among a few', 3, 1],
    ['among many', 9, 1],
    ['as several events among a few', 3, 2],
  ])('is known when it is sent again with the version of now, %s', async (_, others, size) => {
    const { store, database } = await useEmptyStore();
    const events = Array.from({ length: size }, () => happened[0]!);
    const commit = { commitId: 'mine' } as const;
    const first = await store.appendToStream('Mine-1', events, { ...commit, expectedVersion: 'noStream' });
    await store.appendToStream('Mine-1', happened, { expectedVersion: size });

    const [again, ...rest] = await Promise.all([
      store.appendToStream('Mine-1', events, { ...commit, expectedVersion: size + 1 }),
      ...Array.from({ length: others }, (_each, index) =>
        store.appendToStream(`Other-${index}`, happened, { expectedVersion: 0 }),
      ),
    ]);

    expect(again).toEqual({ ...first, deduplicated: true });
    expect(rest.map(({ version, deduplicated }) => [version, deduplicated])).toEqual(
      rest.map(() => [1, false]),
    );
    expect(await countEvents(database.directUrl)).toBe(size + 1 + others);
    expect(await brokenInvariants(database.directUrl)).toEqual([]);
  });

  // Where it is another version, the commit is looked for whether or not its caller may have sent it before.
  test.each([1, 2])('is known when it is sent again with its first version, as %i events', async (size) => {
    const { store, database } = await useEmptyStore();
    const events = Array.from({ length: size }, () => happened[0]!);
    const commit = { commitId: 'mine', expectedVersion: 'noStream' } as const;
    const first = await store.appendToStream('Mine-1', events, commit);

    expect(await store.appendToStream('Mine-1', events, commit)).toEqual({ ...first, deduplicated: true });
    expect(await countEvents(database.directUrl)).toBe(size);
  });

  test.each([64, 65, 130])('is known to its end, of %i events', async (size) => {
    const { store } = await useEmptyStore();
    const events = Array.from({ length: size }, (_, index) => ({ type: 'Happened', data: { index } }));
    const first = await store.appendToStream('Long-1', events, { commitId: 'long' });

    const known = { ...first, deduplicated: true };
    expect(await store.findCommit('Long-1', 'long')).toEqual(known);
    expect(await store.appendToStream('Long-1', events, { commitId: 'long' })).toEqual(known);
  });

  test('is stored once when sixteen send it through two stores', async () => {
    const { store, database } = await useEmptyStore();
    const stores = [store, await secondStore(database.url)];
    const results = await Promise.all(
      Array.from({ length: 16 }, (_, index) =>
        stores[index % 2]!.appendToStream('Same-1', [...happened, ...happened], { commitId: 'same' }),
      ),
    );

    expect(results.filter((result) => !result.deduplicated)).toHaveLength(1);
    const one = { streamId: 'Same-1', version: 2, position: results[0]!.position };
    for (const result of results) expect(result).toMatchObject(one);
    expect(await countEvents(database.directUrl)).toBe(2);
    expect(await brokenInvariants(database.directUrl)).toEqual([]);
  });

  test('with other events through another store is refused, whoever comes first', async () => {
    const { store, database } = await useEmptyStore();
    const other = await secondStore(database.url);
    const outcomes = await Promise.allSettled(
      [store, other].map((each, index) =>
        each.appendToStream('Same-1', [{ type: 'Happened', data: { index } }], { commitId: 'same' }),
      ),
    );

    expect(outcomes.map((outcome) => outcome.status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(outcomes.find((outcome) => outcome.status === 'rejected')?.reason).toMatchObject({
      code: 'COMMIT_MISMATCH',
      commitId: 'same',
    });
    expect(await countEvents(database.directUrl)).toBe(1);
  });
});

describe('a connection that is cut when the append is committed and not confirmed', () => {
  async function behindProxy(retryTimeout = 5_000) {
    const { database } = await useEmptyStore();
    const proxy = await useTcpProxy(database.url);
    const store = await PostgresEventStore.connect({
      connectionString: proxy.url(database.url),
      retryTimeout,
    });
    onTestFinished(() => store.close());
    return { store, proxy, directUrl: database.directUrl };
  }

  test('is nothing that the caller sees', async () => {
    const { store, proxy, directUrl } = await behindProxy();
    const cut = proxy.cutAfter(isAppend);

    const result = await store.appendToStream('Cut-1', happened, { expectedVersion: 'noStream' });

    await cut;
    expect(result).toMatchObject({ version: 1, position: 1, deduplicated: false });
    expect(await countEvents(directUrl)).toBe(1);
  });

  test('shows as a repeat of a commit that has an id from the caller', async () => {
    const { store, proxy, directUrl } = await behindProxy();
    const cut = proxy.cutAfter(isAppend);

    const result = await store.appendToStream('Cut-1', happened, { commitId: 'mine' });

    await cut;
    expect(result).toMatchObject({ version: 1, commitId: 'mine', deduplicated: true });
    expect(await countEvents(directUrl)).toBe(1);
  });

  test('leaves each of a batch with its own outcome', async () => {
    const { store, proxy, directUrl } = await behindProxy();
    const cut = proxy.cutAfter(isAppend);

    const outcomes = await Promise.allSettled([
      store.appendToStream('Cut-1', happened, { expectedVersion: 'noStream' }),
      store.appendToStream('Cut-1', happened, { expectedVersion: 'noStream' }),
      store.appendToStream('Cut-2', [...happened, ...happened]),
      store.appendToStream('Cut-2', happened, { expectedVersion: 2 }),
    ]);

    expect((await cut).sql).toEqual([expect.stringContaining('append_members')]);
    expect(outcomes.map((outcome) => (outcome as { value?: AppendResult }).value?.version)).toEqual([
      1,
      undefined,
      2,
      3,
    ]);
    expect(outcomes[1]).toMatchObject({ reason: { code: 'VERSION_CONFLICT', actualVersion: 1 } });
    expect(await countEvents(directUrl)).toBe(4);
    expect(await brokenInvariants(directUrl)).toEqual([]);
  });

  test('leaves a chain of commits whole', async () => {
    const { store, proxy, directUrl } = await behindProxy();
    const cut = proxy.cutAfter(isAppend);

    const results = await store.appendCommits('Cut-1', [
      { commitId: 'a', events: happened },
      { commitId: 'b', events: [...happened, ...happened] },
    ]);

    await cut;
    expect(results.map(({ commitId, version }) => [commitId, version])).toEqual([
      ['a', 1],
      ['b', 3],
    ]);
    expect(await countEvents(directUrl)).toBe(3);
    expect(await brokenInvariants(directUrl)).toEqual([]);
  });

  test('without retries is an error that says with which commit id to ask again', async () => {
    const { store, proxy, directUrl } = await behindProxy(0);
    const cut = proxy.cutAfter(isAppend);
    const failure: unknown = await store.appendToStream('Cut-1', happened).catch((error: unknown) => error);
    await cut;

    expect(failure).toMatchObject({ code: 'STORE_UNAVAILABLE', commitId: expect.any(String) as string });
    const { commitId } = failure as { commitId: string };
    expect((failure as Error).message).toContain(commitId);
    expect(await store.appendToStream('Cut-1', happened, { commitId })).toMatchObject({
      version: 1,
      deduplicated: true,
    });
    expect(await countEvents(directUrl)).toBe(1);
  });

  test('makes a client that just repeats its insert store it twice', async () => {
    const { proxy, directUrl } = await behindProxy();
    const insert = `insert into event_store.events select nextval('event_store.positions'), 'Cut-1',
      (select count(*) + 1 from event_store.events), gen_random_uuid(), 'c', 'Cut', 'Happened', 1, '{}', '{}', null,
      '{}', now(), now()`;
    const cut = proxy.cutAfter(({ tags }) => tags.includes('INSERT 0 1'));

    await expect(query(proxy.url(directUrl), insert)).rejects.toThrow();
    await cut;
    await query(directUrl, insert);

    expect(await countEvents(directUrl)).toBe(2);
  });
});

test('an append whose server process is ended while it waits for its stream is stored once', async () => {
  const { store, database } = await useEmptyStore();
  const { directUrl } = database;
  await store.appendToStream('Held-1', happened);
  const { holder } = await openSessions(directUrl, 'holder');
  await holder.run('begin');
  await holder.run(`select from event_store.streams where stream_id = 'Held-1' for update`);
  const append = store.appendToStream('Held-1', happened, { expectedVersion: 1 });
  await untilBlocked(directUrl);

  // All are found before the first is ended: the next attempt may come on a connection that is there already.
  const ended = await query(
    directUrl,
    `select pg_terminate_backend(pid, 10000) from unnest((
       select array_agg(pid) from pg_stat_activity
       where datname = current_database() and cardinality(pg_blocking_pids(pid)) > 0)) pid`,
  );
  await untilBlocked(directUrl);
  await holder.run('commit');

  expect(ended).toEqual([{ pg_terminate_backend: true }]);
  expect(await append).toMatchObject({ version: 2, deduplicated: false });
  expect(await countEvents(directUrl)).toBe(2);
  expect(await brokenInvariants(directUrl)).toEqual([]);
});

describe('the checker', () => {
  test.each([
    [
      'an event is stored twice',
      `update event_store.events set id = (select min(id::text)::uuid from event_store.events)`,
    ],
    ['a stream has a gap or a duplicate', `delete from event_store.events where version = 2`],
    ['a stream is at another version than its last event', `update event_store.streams set version = 4`],
    [
      'positions run against the versions of a stream',
      `update event_store.events set position = 10 - position`,
    ],
    [
      'the events of a commit are apart',
      `update event_store.events set commit_id = 'same' where version <> 2`,
    ],
  ])('notices that %s', async (invariant, corruption) => {
    const { store, database } = await useEmptyStore();
    for (let version = 1; version <= 3; version++) await store.appendToStream('Checked-1', happened);
    expect(await brokenInvariants(database.directUrl)).toEqual([]);

    const client = await connect(database.directUrl);
    await client.query(
      `alter table event_store.events disable trigger all, drop constraint events_id_key;
       ${corruption}`,
    );

    expect(await brokenInvariants(database.directUrl)).toContain(invariant);
  });
});
