import { defineConfig } from 'tsup';
import { entries } from './dev/entries.js';

export default defineConfig({
  entry: entries,
  format: ['esm', 'cjs'],
  target: 'es2022',
  tsconfig: 'tsconfig.build.json',
  dts: true,
  clean: true,
  loader: { '.sql': 'text' },
  // Whoever runs an example wants to read the example.
  silent: true,
  // Subpaths share their chunks: a class imported through two of them is one class, in ESM and in CJS.
  splitting: true,
  // Rollup then writes the CJS files. Without it tsup uses Sucrase, which rewrites class fields into
  // `__init` methods and `?.` into calls, and leaves `import.meta.url` undefined.
  treeshake: true,
});
