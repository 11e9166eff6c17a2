import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Mutation } from './mutation.js';

/** A copy of the repository, with what isn't committed yet: the working tree is never mutated. */
export interface ScratchCopy {
  readonly folder: string;
  /** Runs something while the copy has this mistake. */
  with<T>(mutation: Mutation, run: () => Promise<T>): Promise<T>;
  remove(): Promise<void>;
}

export async function makeScratchCopy(root: string): Promise<ScratchCopy> {
  const folder = await mkdtemp(join(tmpdir(), 'mutations-'));
  for (const file of await filesOf(root)) await cp(join(root, file), join(folder, file));
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'));
  // The examples import the package by its name: this copy of it.
  await mkdir(join(folder, 'examples/node_modules'));
  await symlink(folder, join(folder, 'examples/node_modules/temporal-event-store'));
  return {
    folder,
    async with({ file, find, replace }, run) {
      const path = join(folder, file);
      const text = await readFile(path, 'utf8');
      await writeFile(path, text.split(find).join(replace));
      try {
        return await run();
      } finally {
        await writeFile(path, text);
      }
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

/** All but what git ignores. */
async function filesOf(root: string): Promise<readonly string[]> {
  const { stdout } = await promisify(execFile)(
    'git',
    ['ls-files', '-z', '--cached', '--others', '--exclude-standard'],
    { cwd: root, maxBuffer: 64 * 1024 * 1024 },
  );
  return stdout.split('\0').filter((file) => file !== '' && existsSync(join(root, file)));
}
