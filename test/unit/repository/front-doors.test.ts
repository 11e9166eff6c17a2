import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { entries } from '../../../dev/entries.js';

const read = (file: string): string => readFileSync(new URL(`../../../${file}`, import.meta.url), 'utf8');
const readJson = (file: string): unknown => JSON.parse(read(file));

const subpaths = Object.keys(entries).filter((name) => name !== 'index');
const specifiers = Object.keys(entries).map((name) => (name === 'index' ? '.' : `./${name}`));

interface Manifest {
  readonly version: string;
  readonly exports: Readonly<Record<string, unknown>>;
  readonly main: string;
  readonly types: string;
  readonly typesVersions: unknown;
}
const manifest = readJson('package.json') as Manifest;

it('package.json exports each front door of dev/entries.ts, in both formats, and no other', () => {
  const files = (name: string, format: 'cjs' | 'js') => ({
    types: `./dist/${name}.d.${format === 'cjs' ? 'cts' : 'ts'}`,
    default: `./dist/${name}.${format}`,
  });
  const doors = Object.keys(entries).map((name) => ({
    // Workflows get one copy of the sandbox code, whoever imports or requires it.
    webpack: files(name, 'cjs'),
    import: files(name, 'js'),
    require: files(name, 'cjs'),
  }));
  const expected = Object.fromEntries(specifiers.map((specifier, index) => [specifier, doors[index]]));
  expect(manifest.exports).toEqual({ ...expected, './package.json': './package.json' });
  // The first condition that fits is taken.
  for (const specifier of specifiers) {
    expect(Object.keys(manifest.exports[specifier] as object)).toEqual(['webpack', 'import', 'require']);
  }
});

it('package.json leads TypeScript with the resolution of Node 10 to each front door', () => {
  expect({ main: manifest.main, types: manifest.types }).toEqual({
    main: './dist/index.cjs',
    types: './dist/index.d.cts',
  });
  expect(manifest.typesVersions).toEqual({
    '*': Object.fromEntries(subpaths.map((name) => [name, [`./dist/${name}.d.cts`]])),
  });
});

it('tsconfig.json leads each front door to its source', () => {
  const { compilerOptions } = readJson('tsconfig.json') as {
    compilerOptions: { paths: Record<string, string[]> };
  };
  const expected = Object.entries(entries).map(([name, source]) => [
    name === 'index' ? 'temporal-event-store' : `temporal-event-store/${name}`,
    [`./${source}`],
  ]);
  expect(compilerOptions.paths).toEqual(Object.fromEntries(expected));
});

it('typedoc.json documents each front door', () => {
  const { entryPoints } = readJson('typedoc.json') as { entryPoints: string[] };
  expect([...entryPoints].sort()).toEqual(Object.values(entries).sort());
});

it('the packaging test knows what each front door exports at least', () => {
  const exports = readJson('test/packaging/consumers/with-temporal/main-exports.json') as object;
  expect(Object.keys(exports).sort()).toEqual([...specifiers].sort());
});

it('the README has a row for each front door', () => {
  const [, table = ''] = /^## The imports\n(.*?)^## /ms.exec(read('README.md')) ?? [];
  const rows = [...table.matchAll(/^\| `(?:temporal-event-store|…\/(\w+))` /gm)];
  expect(rows.map(([, name = 'index']) => name).sort()).toEqual(Object.keys(entries).sort());
});

it('the examples take the version of the package that is in the repository', () => {
  const { dependencies } = readJson('examples/package.json') as { dependencies: Record<string, string> };
  expect(dependencies['temporal-event-store']).toBe(`^${manifest.version}`);
});
