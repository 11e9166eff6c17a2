import { link, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { StoreUnavailableError } from '../core/errors/store-errors.js';
import { isAlive, isOfThisMachine, isProcess, parseHolder, thisProcess, type Holder } from './lock-holder.js';

const uuid = '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}';

/**
 * Lets one process at a time use a folder: PGlite itself would let two of them destroy it.
 *
 * The lock is a file beside the folder, `<folder>.lock`, that names its holder. A process that finds the holder dead
 * can't just replace the file: another may have done so since the look. It first makes `<folder>.lock.<id>`, with the
 * id of the dead holder. A file of that name can be made only once, and its maker holds the lock from then on, even if
 * it dies before it has replaced the old file. So the holder is the last one of a chain that starts with the lock.
 *
 * @returns a function that releases the lock
 * @throws StoreUnavailableError when a living process, this one included, has the folder, or one that may be alive
 */
export async function lockFolder(folder: string): Promise<() => Promise<void>> {
  const lock = `${folder.replace(/[\\/]+$/, '')}.lock`;
  const self = await thisProcess();
  const own = `${lock}.${self.pid}-${self.id}`;
  await writeSynced(own, JSON.stringify(self));
  try {
    while (!(await tryLock(lock, own, self, folder)));
  } finally {
    await rm(own, { force: true });
  }
  await removeLeftovers(lock).catch(() => undefined);
  return async () => {
    // Somebody may have deleted the lock by hand, and another process taken it.
    if ((await readHolder(lock))?.id === self.id) await rm(lock, { force: true });
  };
}

async function tryLock(lock: string, own: string, self: Holder, folder: string): Promise<boolean> {
  const holder = await findHolder(lock);
  if (holder === undefined) return tryLink(own, lock);
  if (!isOfThisMachine(holder, self)) {
    throw new StoreUnavailableError(
      `The folder ${folder} is in use by process ${holder.pid} of host ${holder.host}, which is another machine or ` +
        `container, or was restarted since: whether that process is alive can't be told from here. If it is not, delete ${lock}.`,
    );
  }
  if (await isAlive(holder)) {
    throw new StoreUnavailableError(
      `The folder ${folder} is in use by process ${holder.pid}. One process at a time can use it: close the other store, or take PostgreSQL for several. (The lock is ${lock}.)`,
    );
  }
  const claim = `${lock}.${holder.id}`;
  if (!(await tryLink(own, claim))) return false;
  if ((await findHolder(lock))?.id !== self.id) {
    // Another process was faster, and has tidied up already.
    await rm(claim, { force: true });
    return false;
  }
  await rename(own, lock);
  return true;
}

/** The last holder of the chain; undefined when nobody has the lock. */
async function findHolder(lock: string): Promise<Holder | undefined> {
  let last: Holder | undefined;
  for (let file = lock; ;) {
    const holder = await readHolder(file);
    if (holder === undefined) return last;
    last = holder;
    file = `${lock}.${holder.id}`;
  }
}

async function readHolder(file: string): Promise<Holder | undefined> {
  let content: string;
  try {
    content = await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  const holder = parseHolder(content);
  if (holder === undefined) {
    throw new StoreUnavailableError(
      `The lock ${file} does not say who holds it. If nobody uses the folder, delete it.`,
    );
  }
  return holder;
}

/** Removes the files of processes that died on their way to the lock. Only the holder does so. */
async function removeLeftovers(lock: string): Promise<void> {
  const name = basename(lock).replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
  const pattern = new RegExp(`^${name}\\.(?:(\\d+)-)?${uuid}$`);
  for (const file of await readdir(dirname(lock))) {
    const match = pattern.exec(file);
    if (match === null) continue;
    const [, pid] = match;
    const path = join(dirname(lock), file);
    // A claim counts for nothing behind a lock whose holder is alive; a waiter removes its own file.
    if (pid !== undefined && !(await isLeftBehind(path, Number(pid)))) continue;
    await rm(path, { force: true });
  }
}

async function isLeftBehind(path: string, pid: number): Promise<boolean> {
  const holder = parseHolder(await readFile(path, 'utf8').catch(() => ''));
  // The process may have died before it wrote.
  if (holder === undefined) return !isProcess(pid);
  return isOfThisMachine(holder, await thisProcess()) && !(await isAlive(holder));
}

/** Writes a file that is whole even after a crash of the machine. */
async function writeSynced(path: string, content: string): Promise<void> {
  const file = await open(path, 'wx');
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function tryLink(own: string, target: string): Promise<boolean> {
  try {
    await link(own, target);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}
