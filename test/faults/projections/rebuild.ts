import { waitUntil } from '../wait.js';
import type { Arena } from './arena.js';
import { findLiveVersion } from './audit.js';
import type { Fault } from './faults.js';
import { ledger } from './ledger.js';

/** What is done to a projection while it is rebuilt, by the name of the round. */
export const rebuilds: Readonly<Record<string, Fault>> = {
  'rebuilt, killed in a page and before the COMMIT of the switch': async (arena) => {
    await arena.deploy([1, 2]);
    await arena.settle('two versions are deployed');
    await rebuild(arena, async () => {
      const build = await waitForBuild(arena);
      await waitUntil(() => arena.lastPage?.build === build, 'a page of the new build is written', 60);
      await arena.kill();
      await arena.strike('before COMMIT of the switch');
    });
  },

  'rolled back': async (arena) => {
    await Promise.all([arena.reader.loop.hold(), arena.waiter.loop.hold()]);
    const { version } = await arena.projector.rollback(ledger);
    if (version !== 1) arena.tally.unexpected.push(`Version ${version} after a rollback`);
    arena.reader.forget();
    arena.reader.loop.release();
    arena.waiter.loop.release();
  },

  'rebuilt again, killed after the COMMIT of the switch': (arena) =>
    rebuild(arena, () => arena.strike('after COMMIT of the switch')),
};

/** A release that is rolled out, worker by worker, amid which the projection is rebuilt. */
export const rollOuts: Readonly<Record<string, Fault>> = {
  'rolled out, and rebuilt while an old worker is there': async (arena) => {
    await arena.deployOne(0, [1, 2]);
    await rebuild(arena, () => arena.settle('an old worker and a new one').then(() => undefined));
    // Version 2 is for the new one only.
    await arena.settle('an old worker beside the new version');
    await arena.deployOne(1, [1, 2]);
  },
};

/** Builds version 2, amid what is done meanwhile, until it is live. */
async function rebuild(arena: Arena, meanwhile: () => Promise<void>): Promise<void> {
  await arena.projector.rebuild(ledger);
  await meanwhile();
  await waitUntil(async () => (await findLiveVersion(arena.url)) === 2, 'the new version is live', 120);
}

/** @returns the number of the build that is not live yet */
async function waitForBuild(arena: Arena): Promise<number> {
  const live = arena.lastPage?.build ?? 1;
  await waitUntil(() => (arena.lastPage?.build ?? live) !== live, 'the new build is begun', 60);
  return arena.lastPage?.build ?? live;
}
