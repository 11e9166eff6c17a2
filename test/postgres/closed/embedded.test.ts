import { PGliteProjectionSink, type PGliteEventStore } from 'temporal-event-store/pglite';
import { beforeAll, describe, expect, test } from 'vitest';
import { openPGliteStore, usePGliteStore } from '../../support/pglite.js';
import { expectToAppend, fillSurface, oddEvents, readSurface } from '../../support/surface.js';
import { expectTypedError } from '../../support/typed-error.js';

describe('the one session of an embedded database, in which the caller has said', () => {
  // One after the other in the same session: to open a database takes longer than all of them.
  let store: PGliteEventStore;
  beforeAll(async () => {
    store = await openPGliteStore();
    await fillSurface(store);
    return () => store.close();
  });

  test.each([
    `set client_encoding = 'LATIN1'`,
    `set array_nulls = off`,
    `set datestyle = 'SQL, DMY'; set extra_float_digits = -15; set timezone = 'UTC5'`,
    `set search_path = ''`,
    `set default_transaction_isolation = 'serializable'; set standard_conforming_strings = off`,
    `create schema mine; set search_path = mine, pg_catalog;
     create function mine.concat_ws(text, text, bigint) returns text language sql as $$ select 'mine' $$;
     create function mine.never(bigint, bigint) returns boolean language sql as 'select false';
     create operator mine.= (leftarg = bigint, rightarg = bigint, function = mine.never);
     create type mine.text as (n integer); create table mine.pg_class ()`,
  ])('%s, the store answers the same', async (sql) => {
    const answers = await readSurface(store);
    const streamId = `Of-${crypto.randomUUID()}`;

    await store.transaction((transaction) => transaction.exec(sql));

    expect(await readSurface(store)).toEqual(answers);
    await expectToAppend(store, store, streamId);
    // Several at once, of which some have no tags, time or correlation.
    await Promise.all(
      oddEvents.map((event, n) => store.appendToStream(`${streamId}-batch-${n}`, [event, event])),
    );
    for (const [n, event] of oddEvents.entries()) {
      expect((await store.readStream(`${streamId}-batch-${n}`)).events).toMatchObject([event, event]);
      expect((await store.readStream(`${streamId}-batch-${n}`)).events[0]?.metadata).toEqual(
        event.metadata ?? {},
      );
    }
    const sink = new PGliteProjectionSink({ store });
    const builds = await sink.open({ name: 'p', version: 1, shards: 1 }, undefined);
    expect(builds).toMatchObject([{ build: 1, progress: [{ applied: 0, rate: 0 }] }]);
  });

  test('that it is read-only, the store says so to who appends', async () => {
    const store = await usePGliteStore();
    await store.transaction((transaction) => transaction.exec('set default_transaction_read_only = on'));

    await expectTypedError(store.appendToStream('A-1', [{ type: 'T', data: {} }]), {
      code: 'STORE_UNAVAILABLE',
      says: /default_transaction_read_only/,
    });
  });
});

describe('an error of an embedded database', () => {
  test('holds nothing of what was appended', async () => {
    const store = await usePGliteStore();
    const secret = 'DE89 3704';
    await store.transaction((transaction) =>
      transaction.exec(`alter table event_store.events add constraint small check (length(data::text) < 5)`),
    );

    await expectTypedError(store.appendToStream('A-1', [{ type: 'T', data: { iban: secret } }]), {
      code: 'INVALID_ARGUMENT',
      says: /violates check constraint "small"/,
      secrets: [secret],
    });
  });
});
