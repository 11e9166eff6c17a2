import { cp, mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { PGliteEventStore } from 'temporal-event-store/pglite';
import { onTestFinished } from 'vitest';
import { cacheFolder } from '../../dev/cache-folder.js';

/** A store in PGlite, of its own folder, until it is closed. */
export async function openPGliteStore(): Promise<PGliteEventStore> {
  const folder = await mkdtemp(join(tmpdir(), 'pglite-'));
  const store = await PGliteEventStore.open({ dataDir: await fillDatabase(join(folder, 'store')) });
  const close = store.close.bind(store);
  store.close = async () => {
    await close();
    await rm(folder, { recursive: true, force: true });
  };
  return store;
}

/** A store in PGlite for one test. */
export async function usePGliteStore(): Promise<PGliteEventStore> {
  const store = await openPGliteStore();
  onTestFinished(() => store.close());
  return store;
}

/**
 * Makes a folder an empty database of PGlite, as PGlite would itself, and returns it. It is copied from the cache folder: to
 * initialise one takes the processor for three seconds.
 */
export async function fillDatabase(dataDir: string): Promise<string> {
  await cp(await emptyDatabase(), dataDir, { recursive: true });
  return dataDir;
}

async function emptyDatabase(): Promise<string> {
  const manifest = await readFile(
    new URL('../package.json', import.meta.resolve('@electric-sql/pglite')),
    'utf8',
  );
  const { version } = JSON.parse(manifest) as { version: string };
  const folder = join(cacheFolder(), `pglite-${version}`);
  if (await isThere(folder)) return folder;
  await mkdir(cacheFolder(), { recursive: true });
  const made = await mkdtemp(`${folder}-`);
  await (await PGlite.create(made)).close();
  // Whole when it gets its name: others may be doing the same, and the first wins.
  await rename(made, folder).catch(async (error: unknown) => {
    await rm(made, { recursive: true });
    if (!(await isThere(folder))) throw error;
  });
  return folder;
}

async function isThere(folder: string): Promise<boolean> {
  return readFile(join(folder, 'PG_VERSION')).then(
    () => true,
    () => false,
  );
}
