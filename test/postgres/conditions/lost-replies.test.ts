import { PostgresEventStore } from 'temporal-event-store/postgres';
import { expect, onTestFinished, test } from 'vitest';
import type { Exchange } from '../../support/postgres-messages.js';
import { useEmptyStore } from '../../support/postgres-store.js';
import { useTcpProxy } from '../../support/postgres.js';
import { brokenInvariants, countEvents } from '../../support/stored-events.js';
import { noneWith, tagged } from '../../support/tagged.js';

// The connection is cut when the append is committed and not confirmed: what is sent again then meets its own events.

const isAppend = ({ sql, tags }: Exchange): boolean =>
  sql.some((text) => text.includes('.append_')) && tags.includes('SELECT 1');

async function behindProxy() {
  const { store: direct, database } = await useEmptyStore();
  const proxy = await useTcpProxy(database.url);
  const store = await PostgresEventStore.connect({ connectionString: proxy.url(database.url) });
  onTestFinished(() => store.close());
  return { store, direct, proxy, directUrl: database.directUrl };
}

test('an append under a condition is not refused for its own event', async () => {
  const { store, proxy, directUrl } = await behindProxy();
  const condition = await noneWith(store, 'x');
  const cut = proxy.cutAfter(isAppend);

  const result = await store.appendToStream('Taken-1', [tagged('x')], { condition });

  await cut;
  expect(result).toMatchObject({ version: 1, deduplicated: false });
  expect(await countEvents(directUrl)).toBe(1);
});

test('an append to several streams has the result of each', async () => {
  const { store, proxy, directUrl } = await behindProxy();
  const condition = await noneWith(store, 'x');
  await store.appendToStream('B-1', [tagged()]);
  const cut = proxy.cutAfter(isAppend);

  const result = await store.appendToStreams(
    [
      { streamId: 'B-1', events: [tagged('x')] },
      { streamId: 'A-1', events: [tagged('x'), tagged()] },
    ],
    { condition, commitId: 'mine' },
  );

  await cut;
  expect(result).toMatchObject({
    commitId: 'mine',
    deduplicated: true,
    parts: [
      { streamId: 'B-1', version: 2, position: 2 },
      { streamId: 'A-1', version: 2, position: 4 },
    ],
  });
  expect(await countEvents(directUrl)).toBe(4);
  expect(await brokenInvariants(directUrl)).toEqual([]);
});

test('each of a batch has its own outcome', async () => {
  const { store, proxy, directUrl } = await behindProxy();
  const condition = await noneWith(store, 'x');
  const cut = proxy.cutAfter(isAppend);

  const outcomes = await Promise.allSettled([
    store.appendToStream('C-1', [tagged('x')], { condition }),
    store.appendToStream('B-1', [tagged('x')], { condition }),
    store.appendToStreams(
      [
        { streamId: 'A-1', events: [tagged('y')] },
        { streamId: 'C-1', events: [tagged('y')] },
      ],
      { condition },
    ),
    store.appendToStream('A-1', [tagged('y')]),
  ]);

  expect((await cut).sql).toEqual([expect.stringContaining('append_members')]);
  // The first is stored by the attempt without a reply, so that it has a position in the way of the second and third.
  expect(outcomes).toMatchObject([
    { value: { version: 1, deduplicated: false } },
    { reason: { code: 'APPEND_CONDITION_FAILED', conflict: { streamId: 'C-1', position: 1 } } },
    { reason: { code: 'APPEND_CONDITION_FAILED' } },
    { value: { version: 1 } },
  ]);
  expect(await countEvents(directUrl)).toBe(2);
  expect(await brokenInvariants(directUrl)).toEqual([]);
});

test('a condition that another append has broken meanwhile is refused, not found', async () => {
  const { store, direct, proxy, directUrl } = await behindProxy();
  const condition = await noneWith(store, 'x');
  await direct.appendToStream('Other-1', [tagged('x')]);
  const cut = proxy.cutAfter(isAppend);

  const append = store.appendToStream('Taken-1', [tagged('x')], { condition });

  await expect(append).rejects.toMatchObject({ conflict: { streamId: 'Other-1' } });
  await cut;
  expect(await countEvents(directUrl)).toBe(1);
});
