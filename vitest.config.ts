import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { entries } from './dev/entries.js';

const root = fileURLToPath(new URL('.', import.meta.url));

/** Resolves the package's own subpaths to the file that `fileOf` names. */
function packageAlias(fileOf: (subpath: string, source: string) => string) {
  return Object.entries(entries).map(([subpath, source]) => ({
    find: new RegExp(`^temporal-event-store${subpath === 'index' ? '' : `/${subpath}`}$`),
    replacement: root + fileOf(subpath, source),
  }));
}

/** The project that mutation testing runs, too. */
export const unit = {
  resolve: { alias: packageAlias((_subpath, source) => source) },
  test: {
    name: 'unit',
    include: ['test/unit/**/*.test.ts'],
    // The files change nothing that they share, and a process for each takes longer than their tests.
    isolate: false,
  },
};

export default defineConfig({
  test: {
    slowTestThreshold: 5_000,
    projects: [
      unit,
      {
        test: {
          name: 'types',
          include: [],
          typecheck: {
            enabled: true,
            only: true,
            include: ['test/types/**/*.test-d.ts'],
            tsconfig: './tsconfig.json',
          },
        },
      },
      {
        resolve: { alias: packageAlias((subpath) => `dist/${subpath}.js`) },
        test: {
          name: 'temporal',
          include: ['test/{temporal,examples,docs}/**/*.test.ts'],
          // The built package runs as Node would load it, not transformed as a source of the tests.
          server: { deps: { external: [/\/dist\//] } },
          globalSetup: './test/support/temporal-global-setup.ts',
          pool: 'forks',
          maxWorkers: 2,
          // After the unit tests, so that their load doesn't slow the server.
          sequence: { groupOrder: 1 },
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        resolve: { alias: packageAlias((subpath) => `dist/${subpath}.js`) },
        test: {
          name: 'postgres',
          include: ['test/postgres/**/*.test.ts'],
          server: { deps: { external: [/\/dist\//] } },
          globalSetup: './test/support/postgres-global-setup.ts',
          pool: 'forks',
          maxWorkers: 2,
          sequence: { groupOrder: 2 },
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
});
