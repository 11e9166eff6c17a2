import { PostgresEventStore } from 'temporal-event-store/postgres';
import { expect, onTestFinished, test } from 'vitest';
import { findBroken, withoutLocks } from '../../faults/conditions/proof.js';
import { race } from '../../faults/conditions/racers.js';
import { createDatabase, type Database } from '../../support/postgres.js';
import { brokenInvariants } from '../../support/stored-events.js';

async function useStores(database: Database): Promise<readonly PostgresEventStore[]> {
  const stores = await Promise.all(
    [1, 2, 3].map(() => PostgresEventStore.connect({ connectionString: database.url })),
  );
  onTestFinished(async () => {
    await Promise.all(stores.map((store) => store.close()));
  });
  await stores[0]?.migrate();
  return stores;
}

test('racers of three stores break no condition', async () => {
  const database = await createDatabase();
  const stores = await useStores(database);

  const outcomes = await race({
    stores,
    url: database.directUrl,
    racers: 24,
    things: 6,
    goesOn: (turns) => turns < 60,
  });

  const { conditions, broken } = await findBroken(database.directUrl);
  expect(broken).toEqual([]);
  expect(conditions).toBeGreaterThan(100);
  expect(await brokenInvariants(database.directUrl)).toEqual([]);
  expect(Object.keys(outcomes)).toHaveLength(11);
  // One that depends on everything nearly always comes too late.
  const { everything, ...others } = outcomes;
  expect(everything?.refused).toBeGreaterThan(0);
  for (const { appended } of Object.values(others)) expect(appended).toBeGreaterThan(0);
  expect(Object.values(outcomes).reduce((sum, { refused }) => sum + refused, 0)).toBeGreaterThan(20);
});

test('they would, without the locks of tags', async () => {
  const database = await createDatabase();
  const stores = await useStores(database);
  await withoutLocks(database.directUrl);

  let broken: readonly string[] = [];
  for (let round = 0; round < 20 && broken.length === 0; round++) {
    await race({ stores, url: database.directUrl, racers: 24, things: 4, goesOn: (turns) => turns < 20 });
    ({ broken } = await findBroken(database.directUrl));
  }

  expect(broken).not.toEqual([]);
});
