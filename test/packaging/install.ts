import assert from 'node:assert/strict';
import { mkdtemp, readdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from './process.js';

const quiet = ['--no-audit', '--no-fund', '--prefer-offline', '--loglevel=warn'];

/** Packs the project into the file `tarball`. */
export async function pack(root: string, tarball: string): Promise<void> {
  const folder = await mkdtemp(`${tarball}-`);
  await run('npm', ['pack', '--ignore-scripts', '--pack-destination', folder], { cwd: root });
  const [file, ...others] = await readdir(folder);
  assert.ok(file !== undefined && others.length === 0, 'npm pack makes one file');
  await rename(join(folder, file), tarball);
}

/** Installs what the package.json in `folder` asks for, and `more`; all of it must fit together. */
export async function install(folder: string, ...more: readonly string[]): Promise<void> {
  const { stderr } = await run('npm', ['install', ...more, ...quiet], { cwd: folder });
  assert.doesNotMatch(stderr, /peer|ERESOLVE/i, 'npm has something to say about peers');
  await run('npm', ['ls', '--all'], { cwd: folder });
}

/** The names of the packages in the node_modules of `folder`. */
export async function installedPackages(folder: string): Promise<string[]> {
  const names = await readdir(join(folder, 'node_modules'));
  return names.filter((name) => !name.startsWith('.')).sort();
}
