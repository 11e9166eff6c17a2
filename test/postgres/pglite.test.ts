import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { iterateStream } from 'temporal-event-store';
import { PGliteEventStore } from 'temporal-event-store/pglite';
import { describe, expect, onTestFinished, test } from 'vitest';
import { fillDatabase } from '../support/pglite.js';

/** A path below a temporary folder, where nothing is. */
async function emptyPlace(): Promise<string> {
  const parent = await mkdtemp(join(tmpdir(), 'pglite-'));
  onTestFinished(() => rm(parent, { recursive: true, force: true }));
  return join(parent, 'events');
}

async function openStore(dataDir: string): Promise<PGliteEventStore> {
  const store = await PGliteEventStore.open({ dataDir });
  onTestFinished(() => store.close());
  return store;
}

const appenderFile = fileURLToPath(new URL('../support/pglite-process.ts', import.meta.url));

/** Of a process that uses the folder by the built package. */
function environment(folder: string): NodeJS.ProcessEnv {
  const tsconfig = fileURLToPath(new URL('../../tsconfig.build.json', import.meta.url));
  return { ...process.env, TSX_TSCONFIG_PATH: tsconfig, FOLDER: folder };
}

/** A process that appends to the folder; see test/support/pglite-process.ts. */
function spawnAppender(folder: string) {
  const child = spawn(process.execPath, ['--import', 'tsx', appenderFile], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: environment(folder),
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const acknowledged: number[] = [];
  const lines = createInterface({ input: child.stdout }).on('line', (line) => {
    acknowledged.push(Number(line));
  });
  return {
    acknowledged,
    async kill() {
      child.kill('SIGKILL');
      await Promise.all([once(child, 'exit'), once(lines, 'close')]);
    },
  };
}

/** What is beside the folder. */
async function beside(folder: string): Promise<string[]> {
  return (await readdir(dirname(folder))).filter((name) => name !== basename(folder)).sort();
}

describe('a persistent folder', () => {
  test('keeps every acknowledged event when its process is killed', async () => {
    const folder = await fillDatabase(await emptyPlace());
    const appender = spawnAppender(folder);
    await expect.poll(() => appender.acknowledged.length, { timeout: 30_000 }).toBeGreaterThan(50);

    await appender.kill();

    const store = await openStore(folder);
    const versions: number[] = [];
    for await (const { version } of iterateStream(store, 'Account-1')) versions.push(version);
    // The one that was under way may be there too.
    expect(versions.slice(0, appender.acknowledged.length)).toEqual(appender.acknowledged);
    expect(versions.length - appender.acknowledged.length).toBeLessThanOrEqual(1);
    expect(await store.appendToStream('Account-1', [{ type: 'Happened', data: {} }])).toMatchObject({
      version: versions.length + 1,
    });
  });

  test('is refused to a second process, and to a second store of the same', async () => {
    const folder = await fillDatabase(await emptyPlace());
    const appender = spawnAppender(folder);
    await expect.poll(() => appender.acknowledged.length, { timeout: 30_000 }).toBeGreaterThan(0);
    await expect(PGliteEventStore.open({ dataDir: folder })).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
      message: expect.stringContaining('in use by process') as string,
    });
    await appender.kill();

    const store = await openStore(folder);
    await expect(PGliteEventStore.open({ dataDir: `${folder}/` })).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
      message: expect.stringContaining(`in use by process ${process.pid}`) as string,
    });
    await store.close();

    await (await openStore(folder)).close();
    expect(await beside(folder)).toEqual([]);
  });
});

describe('a folder that can not be opened', () => {
  test('below a file is an invalid argument', async () => {
    const place = await emptyPlace();
    await writeFile(place, '');

    await expect(PGliteEventStore.open({ dataDir: join(place, 'below', 'it') })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringContaining(place) as string,
    });
  });

  test('where nothing can be written is a typed error', async () => {
    // EACCES or ENOENT, as the system likes.
    await expect(PGliteEventStore.open({ dataDir: '/proc/1/events' })).rejects.toMatchObject({
      code: expect.stringMatching(/^STORE_(ACCESS_DENIED|UNAVAILABLE)$/) as string,
    });
  });

  test('with something else in it is a typed error, and leaves no lock', async () => {
    const folder = await emptyPlace();
    await mkdir(folder);
    await writeFile(join(folder, 'PG_VERSION'), '9.6');

    await expect(PGliteEventStore.open({ dataDir: folder })).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
    });
    expect(await beside(folder)).toEqual([]);
  });
});

describe('close', () => {
  test('releases the folder even if the database does not close', async () => {
    const folder = await fillDatabase(await emptyPlace());
    const store = await PGliteEventStore.open({ dataDir: folder });
    expect((await stat(`${folder}.lock`)).isFile()).toBe(true);
    const { PGlite } = await import('@electric-sql/pglite');
    const close = PGlite.prototype.close;
    onTestFinished(() => void (PGlite.prototype.close = close));
    PGlite.prototype.close = async function (this: InstanceType<typeof PGlite>) {
      await close.call(this);
      throw new Error('the disk is gone');
    };

    await expect(store.close()).rejects.toThrow('the disk is gone');

    expect(await beside(folder)).toEqual([]);
  });
});
