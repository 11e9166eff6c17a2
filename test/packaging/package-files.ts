import assert from 'node:assert/strict';
import { readdir, readFile, realpath, stat } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join, posix, relative, sep } from 'node:path';

const expectedFiles =
  /^(package\.json|README\.md|LICENSE|CHANGELOG\.md|docs\/([\w-]+\/)?[\w-]+\.(md|svg)|dist\/[\w-]+\.(js|cjs|d\.ts|d\.cts))$/;

/** Checks the files of the installed package in `folder`; returns their number and bytes. */
export async function checkPackageFiles(
  folder: string,
  root: string,
): Promise<{ readonly files: number; readonly bytes: number }> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join('/'));
  assert.deepEqual(
    files.filter((file) => !expectedFiles.test(file)),
    [],
    'files that are none of the package',
  );
  for (const document of ['README.md', 'CHANGELOG.md', 'LICENSE']) {
    assert.ok(files.includes(document), `${document} is in the package`);
  }

  const manifest: unknown = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'));
  const targets = targetsOf(manifest as Manifest);
  assert.deepEqual(
    targets.filter((target) => !files.includes(target)),
    [],
    'files that package.json names and the package lacks',
  );

  assert.deepEqual(await brokenLinks(folder, files), [], 'links of documents that lead nowhere');
  assert.deepEqual(await unneeded(folder, files, targets), [], 'files of dist that no front door leads to');

  let bytes = 0;
  const machinePaths = await pathsOfThisMachine(root);
  for (const file of files) {
    bytes += (await stat(join(folder, file))).size;
    const text = await readFile(join(folder, file), 'utf8');
    assert.ok(!text.includes('sourceMappingURL='), `${file} names a source map, and the package has none`);
    const found = machinePaths.find((path) => text.includes(path)) ?? /\/(?:home|Users)\/\w+/.exec(text)?.[0];
    assert.equal(found, undefined, `${file} has a path of the machine that built it`);
  }
  return { files: files.length, bytes };
}

/** What is in `dist` and neither named by package.json nor imported, directly or by others, by what is. */
async function unneeded(
  folder: string,
  files: readonly string[],
  targets: readonly string[],
): Promise<string[]> {
  const needed = new Set<string>();
  const follow = async (file: string): Promise<void> => {
    if (needed.has(file) || !file.startsWith('dist/')) return;
    needed.add(file);
    const text = await readFile(join(folder, file), 'utf8');
    for (const [, path = ''] of text.matchAll(/["'](\.\/[\w-]+\.c?js)["']/g)) {
      const code = posix.join('dist', path);
      // A declaration imports the JavaScript that it declares.
      const isDeclaration = /\.d\.c?ts$/.test(file);
      await follow(isDeclaration ? code.replace(/\.(c?)js$/, '.d.$1ts') : code);
    }
  };
  for (const target of targets) await follow(target);
  return files.filter((file) => file.startsWith('dist/') && !needed.has(file));
}

/** Links of the documents to files that the package lacks. */
async function brokenLinks(folder: string, files: readonly string[]): Promise<string[]> {
  const broken: string[] = [];
  for (const file of files.filter((each) => each.endsWith('.md'))) {
    const text = await readFile(join(folder, file), 'utf8');
    for (const [, target = ''] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^(\w+:|#)/.test(target)) continue;
      const path = posix.join(posix.dirname(file), target.replace(/#.*$/, ''));
      if (!files.includes(path)) broken.push(`${file}: ${target}`);
    }
  }
  return broken;
}

interface Manifest {
  readonly exports: object;
  readonly main: string;
  readonly types: string;
  readonly typesVersions: object;
}

function targetsOf({ exports, main, types, typesVersions }: Manifest): string[] {
  const leaves = (value: unknown): string[] =>
    typeof value === 'string' ? [value] : Object.values(value as object).flatMap(leaves);
  return [...leaves(exports), ...leaves(typesVersions), main, types].map((target) =>
    target.replace(/^\.\//, ''),
  );
}

async function pathsOfThisMachine(root: string): Promise<string[]> {
  const folders = [root, homedir(), tmpdir()];
  const real = await Promise.all(folders.map((folder) => realpath(folder)));
  return [...new Set([...folders, ...real])].map((folder) => folder.replace(/[\\/]*$/, sep));
}
