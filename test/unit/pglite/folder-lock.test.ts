import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { lockFolder } from '../../../src/pglite/folder-lock.js';

/** A path below a temporary folder, where nothing is. */
async function emptyPlace(): Promise<string> {
  const parent = await mkdtemp(join(tmpdir(), 'pglite-'));
  onTestFinished(() => rm(parent, { recursive: true, force: true }));
  return join(parent, 'events');
}

/** The lock as a process leaves it that is killed. */
async function deadHolder(changes: object = {}) {
  const child = spawn(process.execPath, ['--eval', '']);
  await once(child, 'exit');
  const own = await emptyPlace();
  const unlock = await lockFolder(own);
  const holder = JSON.parse(await readFile(`${own}.lock`, 'utf8')) as Record<string, unknown>;
  await unlock();
  return { ...holder, id: crypto.randomUUID(), pid: child.pid!, ...changes };
}

async function leave(holder: object, folder: string): Promise<void> {
  await writeFile(`${folder}.lock`, JSON.stringify(holder));
}

/** What is beside the folder. */
async function beside(folder: string): Promise<string[]> {
  return (await readdir(dirname(folder))).filter((name) => name !== basename(folder)).sort();
}

describe('the lock of a folder', () => {
  test('goes to one of those who find it left by a dead process', async () => {
    const dead = await deadHolder();
    for (let round = 0; round < 30; round++) {
      const folder = await emptyPlace();
      await leave({ ...dead, id: crypto.randomUUID() }, folder);

      const tries = await Promise.allSettled(Array.from({ length: 12 }, () => lockFolder(folder)));

      expect(tries.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    }
  });

  test('passes on from a process that dies while it takes the lock over', async () => {
    const folder = await emptyPlace();
    const [first, second] = [await deadHolder(), await deadHolder()];
    await leave(first, folder);
    await writeFile(`${folder}.lock.${first.id}`, JSON.stringify(second));

    const unlock = await lockFolder(folder);

    expect(await beside(folder)).toEqual(['events.lock']);
    await unlock();
    expect(await beside(folder)).toEqual([]);
  });

  test.each([
    ['host', { host: 'another' }],
    ['boot', { boot: 'another' }],
    ['process namespace', { namespace: 'another' }],
  ])('is left to one of another %s, who may be alive', async (_what, changes) => {
    const folder = await emptyPlace();
    const holder = await deadHolder(changes);
    await leave(holder, folder);

    await expect(lockFolder(folder)).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
      message: expect.stringMatching(
        `process ${holder.pid} of host ${'host' in changes ? 'another' : hostname()}.*delete ${folder}.lock`,
      ) as string,
    });
    await rm(`${folder}.lock`);
    await (
      await lockFolder(folder)
    )();
  });

  test('is refused when it does not say whose it is', async () => {
    const folder = await emptyPlace();
    await writeFile(`${folder}.lock`, '{');

    await expect(lockFolder(folder)).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
      message: expect.stringContaining(`${folder}.lock`) as string,
    });
  });

  test('is not released when it has become that of another', async () => {
    const folder = await emptyPlace();
    const unlock = await lockFolder(folder);
    await rm(`${folder}.lock`);
    const unlockOther = await lockFolder(folder);

    await unlock();

    await expect(lockFolder(folder)).rejects.toThrow('in use');
    await unlockOther();
    await (
      await lockFolder(folder)
    )();
  });

  test('is rid of what killed processes left on their way to it', async () => {
    const folder = await emptyPlace();
    const dead = await deadHolder();
    const foreign = await deadHolder({ host: 'another' });
    const alive = await deadHolder({ pid: process.ppid, startedAt: undefined });
    const nameOf = (pid: number) => `events.lock.${pid}-${crypto.randomUUID()}`;
    const left = { whole: nameOf(dead.pid), empty: nameOf(dead.pid) };
    const kept = { foreign: nameOf(foreign.pid), alive: nameOf(alive.pid), other: 'events.lock.txt' };
    const parent = dirname(folder);
    await writeFile(join(parent, left.whole), JSON.stringify(dead));
    await writeFile(join(parent, left.empty), '');
    await writeFile(join(parent, kept.foreign), JSON.stringify(foreign));
    await writeFile(join(parent, kept.alive), '');
    await writeFile(join(parent, kept.other), '');

    const unlock = await lockFolder(folder);

    expect(await beside(folder)).toEqual([...Object.values(kept), 'events.lock'].sort());
    await unlock();
  });
});
