import { link, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { StoreUnavailableError } from '../core/errors/errors.js';

/**
 * Lets one process at a time use a folder: PGlite itself would let two of them destroy it. The lock names its process, so
 * that of a process which has died is taken over.
 *
 * @returns releases it
 * @throws StoreUnavailableError when a living process, this one included, has the folder
 */
export async function lockFolder(folder: string): Promise<() => Promise<void>> {
  const lock = `${folder.replace(/[\\/]+$/, '')}.lock`;
  const own = `${lock}.${process.pid}-${crypto.randomUUID()}`;
  await writeFile(own, JSON.stringify({ pid: process.pid, startedAt: await startTimeOf(process.pid) }));
  try {
    while (!(await tryLink(own, lock))) {
      const holder = await readHolder(lock);
      if (holder !== undefined && (await isAlive(holder))) {
        throw new StoreUnavailableError(
          `The folder ${folder} is in use by process ${holder.pid}. One process at a time can use it: close the other store, or take PostgreSQL for several. (The lock is ${lock}.)`,
        );
      }
      // Only one of those who find it stale moves it away.
      await rename(lock, `${own}.stale`).catch(() => undefined);
      await rm(`${own}.stale`, { force: true });
    }
  } finally {
    await rm(own, { force: true });
  }
  return () => rm(lock, { force: true });
}

interface Holder {
  readonly pid: number;
  readonly startedAt: string | undefined;
}

async function tryLink(own: string, lock: string): Promise<boolean> {
  try {
    await link(own, lock);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

async function readHolder(lock: string): Promise<Holder | undefined> {
  const content = await readFile(lock, 'utf8').catch(() => '');
  return content === '' ? undefined : (JSON.parse(content) as Holder);
}

/** A process of that number which started at another time is another process. */
async function isAlive({ pid, startedAt }: Holder): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
  }
  return (await startTimeOf(pid)) === startedAt;
}

/** Where the system tells (Linux, in /proc): the 22nd field, after the name, which may hold anything. */
async function startTimeOf(pid: number): Promise<string | undefined> {
  const status = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  return status?.slice(status.lastIndexOf(')') + 2).split(' ')[19];
}
