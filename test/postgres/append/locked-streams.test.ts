import type { PostgresEventStore } from 'temporal-event-store/postgres';
import { describe, expect, test } from 'vitest';
import { openAppend } from '../../support/open-append.js';
import { useEmptyStore } from '../../support/postgres-store.js';
import { openSessions } from '../../support/sessions.js';

const happened = [{ type: 'Happened', data: {} }];
const lockRow = 'select from event_store.streams where stream_id = any ($1) for update';

/**
 * Appends to streams that nobody has locked, many at a time, and says how many milliseconds the slowest took, and in how many of
 * the rounds one was as late as a batch that waits for a lock.
 */
async function appendElsewhere(
  store: PostgresEventStore,
  rounds = 10,
): Promise<{ slowest: number; late: number }> {
  let [slowest, late] = [0, 0];
  for (let round = 0; round < rounds; round++) {
    const began = performance.now();
    await Promise.all(
      Array.from({ length: 12 }, (_, index) => store.appendToStream(`Other-${index}`, happened)),
    );
    const duration = performance.now() - began;
    slowest = Math.max(slowest, duration);
    if (duration > 240) late++;
  }
  return { slowest, late };
}

/** A store with these streams, whose rows another transaction has locked. */
async function useLocked(streams: readonly string[], options = {}) {
  const { store, database } = await useEmptyStore(options);
  await Promise.all(streams.map((streamId) => store.appendToStream(streamId, happened)));
  const { holder } = await openSessions(database.directUrl, 'holder');
  await holder.run('begin');
  await holder.run(lockRow, [streams]);
  return { store, holder, database };
}

describe('a stream that another transaction has locked', () => {
  test('holds up no append to another, also when they come together', async () => {
    const { store, holder } = await useLocked(['Locked-1']);
    const locked = store.appendToStream('Locked-1', happened);

    expect((await appendElsewhere(store)).slowest).toBeLessThan(1_000);

    await holder.run('commit');
    expect(await locked).toMatchObject({ version: 2 });
  });

  test('is one of many, which hold up no other either', async () => {
    const streams = Array.from({ length: 20 }, (_, index) => `Locked-${index}`);
    const { store, holder } = await useLocked(streams);
    const locked = Promise.all(streams.map((streamId) => store.appendToStream(streamId, happened)));

    const { slowest, late } = await appendElsewhere(store);
    expect(slowest).toBeLessThan(1_500);
    // It is found out once.
    expect(late).toBeLessThanOrEqual(5);

    await holder.run('commit');
    expect((await locked).map(({ version }) => version)).toEqual(streams.map(() => 2));
  });

  test('may be new, and not be there for others yet', async () => {
    const { store, database } = await useEmptyStore();
    const open = await openAppend(store, database.directUrl, 'Locked-1');
    const locked = store.appendToStream('Locked-1', happened);

    expect((await appendElsewhere(store)).slowest).toBeLessThan(1_000);

    await open.commit();
    expect(await locked).toMatchObject({ version: 2 });
  });

  test('has its appends in the order of their calls when the lock goes', async () => {
    const { store, holder } = await useLocked(['Locked-1']);
    const appends = Array.from({ length: 5 }, () =>
      Promise.all([
        store.appendToStream('Locked-1', happened),
        store.appendToStream(`Other-${crypto.randomUUID()}`, happened),
      ]),
    );
    await appendElsewhere(store, 2);
    await holder.run('commit');

    expect((await Promise.all(appends)).map(([{ version }]) => version)).toEqual([2, 3, 4, 5, 6]);
    // And is as any other from then on.
    expect((await appendElsewhere(store, 2)).slowest).toBeLessThan(1_000);
  });

  test('is a typed error in time, which names it and who has it, and nothing is stored', async () => {
    const { store, holder } = await useLocked(['Locked-1'], { operationTimeout: 400 });
    const appends = ['mine', 'too'].map((commitId) =>
      store.appendToStream('Locked-1', happened, { commitId }),
    );

    for (const [index, commitId] of ['mine', 'too'].entries()) {
      await expect(appends[index]).rejects.toMatchObject({
        code: 'STORE_UNAVAILABLE',
        commitId,
        message: expect.stringMatching(
          `'Locked-1' is locked: the process ${holder.pid} of pg_stat_activity .* Nothing was stored: .*'${commitId}'`,
        ) as string,
      });
    }

    await holder.run('commit');
    expect(await store.appendToStream('Locked-1', happened, { commitId: 'mine' })).toMatchObject({
      version: 2,
      deduplicated: false,
    });
  });

  test('does not keep an append that is aborted meanwhile', async () => {
    const { store, holder } = await useLocked(['Locked-1']);
    const controller = new AbortController();
    const aborted = store.appendToStream('Locked-1', happened, { signal: controller.signal });
    await appendElsewhere(store, 2);

    controller.abort('enough');

    await expect(aborted).rejects.toBe('enough');
    await holder.run('commit');
    expect((await store.readStream('Locked-1')).version).toBe(1);
  });
});
