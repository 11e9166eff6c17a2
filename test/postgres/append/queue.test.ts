import { describe, expect, test } from 'vitest';
import { useEmptyStore } from '../../support/postgres-store.js';
import { openSessions, untilBlocked } from '../../support/sessions.js';
import { brokenInvariants, countEvents } from '../../support/stored-events.js';

const happened = [{ type: 'Happened', data: {} }];

describe('a flood of appends to one stream', () => {
  test('lets the others take their turn', async () => {
    const { store, database } = await useEmptyStore();
    let flooded = 0;
    const flood = Array.from({ length: 3_000 }, () =>
      store.appendToStream('Flood-1', happened).then(({ version }) => {
        flooded++;
        return version;
      }),
    );

    await flood[0];
    const before = flooded;
    const passedBy = await Promise.all(
      Array.from({ length: 20 }, async (_, index) => {
        await store.appendToStream(`Calm-${index}`, happened);
        return flooded - before;
      }),
    );

    // First come, first served, each would have waited for nearly 3,000.
    expect(before).toBeLessThan(100);
    expect(Math.max(...passedBy)).toBeLessThan(300);
    // And the flood keeps the order of its calls.
    expect(await Promise.all(flood)).toEqual(flood.map((_, index) => index + 1));
    expect(await countEvents(database.directUrl)).toBe(3_020);
    expect(await brokenInvariants(database.directUrl)).toEqual([]);
  });
});

describe('a full queue', () => {
  test('refuses what is too much at once, and stores what it has taken', async () => {
    const { store, database } = await useEmptyStore({ maxQueuedAppends: 10 });
    const { directUrl } = database;
    await store.appendToStream('First-1', happened);
    const { holder } = await openSessions(directUrl, 'holder');
    await holder.run('begin');
    await holder.run('lock table event_store.events in exclusive mode');
    const underWay = store.appendToStream('First-1', happened);
    await untilBlocked(directUrl);
    const alsoUnderWay = store.appendToStream('Second-1', happened);
    await untilBlocked(directUrl, 2);

    const waiting = Array.from({ length: 10 }, (_, index) => store.appendToStream(`Wait-${index}`, happened));
    const tooMany = Array.from({ length: 5 }, (_, index) => store.appendToStream(`Many-${index}`, happened));

    for (const refused of await Promise.allSettled(tooMany)) {
      expect(refused).toMatchObject({
        reason: {
          code: 'STORE_OVERLOADED',
          message: expect.stringContaining('nothing was stored') as string,
        },
      });
    }
    await holder.run('commit');
    await Promise.all([underWay, alsoUnderWay, ...waiting]);
    expect(await countEvents(directUrl)).toBe(13);
    expect(await countEvents(directUrl, `category = 'Many'`)).toBe(0);
    // There is room again.
    await store.appendToStream('Many-1', happened);
  });
});

describe('closing', () => {
  test('finishes what was taken, and takes no more', async () => {
    const { store, database } = await useEmptyStore();
    const taken = Array.from({ length: 200 }, (_, index) =>
      store.appendToStream(`Taken-${index % 7}`, happened),
    );

    const closing = store.close();
    const late = await Promise.allSettled([
      store.appendToStream('Late-1', happened),
      store.appendCommits('Late-1', [{ commitId: 'c', events: happened }]),
    ]);
    await closing;

    for (const refused of late) expect(refused).toMatchObject({ reason: { code: 'STORE_CLOSED' } });
    await Promise.all(taken);
    expect(await countEvents(database.directUrl)).toBe(200);
    expect(await brokenInvariants(database.directUrl)).toEqual([]);
    await store.close();
  });

  test('refuses every call from then on', async () => {
    const { store } = await useEmptyStore();
    const model = { name: 'm', version: 1 };
    await store.close();

    for (const call of [
      () => store.appendToStream('A-1', happened),
      () => store.readStream('A-1'),
      () => store.readAll(),
      () => store.readAll({ direction: 'backward' }),
      () => store.findCommit('A-1', 'c'),
      () => store.statistics(),
      () => store.trends({ interval: 'day' }),
      () => store.snapshots.load('A-1', model),
      () => store.snapshots.save('A-1', model, 1, {}),
      () => store.checkpoints.load('p'),
      () => store.checkpoints.save('p', { position: 1, storeId: 's' }),
      () => store.migrate(),
      () => store.rotateStoreId(),
    ]) {
      await expect(call()).rejects.toMatchObject({ code: 'STORE_CLOSED' });
    }
  });

  test('gives the connections back', async () => {
    const { store, database } = await useEmptyStore();
    await Promise.all(Array.from({ length: 50 }, (_, index) => store.appendToStream(`A-${index}`, happened)));
    await Promise.all(Array.from({ length: 50 }, (_, index) => store.readStream(`A-${index}`)));
    const { observer } = await openSessions(database.directUrl, 'observer');

    await store.close();

    // A pooler keeps its own, of course.
    const isDirect = database.url === database.directUrl;
    const sql = `select from pg_stat_activity where datname = current_database() and query like '%event_store%'
                 and pid <> pg_backend_pid()`;
    await expect
      .poll(async () => (await observer.run(sql)).length, { timeout: 10_000 })
      .toSatisfy((connections: number) => (isDirect ? connections === 0 : connections > 0));
  });
});
