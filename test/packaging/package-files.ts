import assert from 'node:assert/strict';
import { readdir, readFile, realpath } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join, posix, relative, sep } from 'node:path';

const expectedFiles =
  /^(package\.json|README\.md|LICENSE|CHANGELOG\.md|docs\/([\w-]+\/)?[\w-]+\.(md|svg)|dist\/[\w-]+\.(js|cjs|d\.ts|d\.cts))$/;

/** Checks the files of the installed package in `folder`; returns their number. */
export async function checkPackageFiles(folder: string, root: string): Promise<number> {
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

  const machinePaths = await pathsOfThisMachine(root);
  for (const file of files) {
    const text = await readFile(join(folder, file), 'utf8');
    assert.ok(!text.includes('sourceMappingURL='), `${file} names a source map, and the package has none`);
    const found = machinePaths.find((path) => text.includes(path)) ?? /\/(?:home|Users)\/\w+/.exec(text)?.[0];
    assert.equal(found, undefined, `${file} has a path of the machine that built it`);
  }
  return files.length;
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
