import { fileURLToPath } from 'node:url';
import { defineConfig, type TestProjectInlineConfiguration } from 'vitest/config';
import { entries } from './dev/entries.js';

const root = fileURLToPath(new URL('.', import.meta.url));

/** Resolves the package's own subpaths to the file that `fileOf` names. */
function packageAlias(fileOf: (subpath: string, source: string) => string) {
  return Object.entries(entries).map(([subpath, source]) => ({
    find: new RegExp(`^temporal-event-store${subpath === 'index' ? '' : `/${subpath}`}$`),
    replacement: root + fileOf(subpath, source),
  }));
}

/** The built package, as a worker bundles it and a user imports it. */
function onBuiltPackage(test: TestProjectInlineConfiguration['test']): TestProjectInlineConfiguration {
  return {
    resolve: { alias: packageAlias((subpath) => `dist/${subpath}.js`) },
    test: {
      // It runs as Node would load it, not transformed as a source of the tests.
      server: { deps: { external: [/\/dist\//] } },
      pool: 'forks',
      // Each loads the SDK, which takes a second of the processor: once in a process, not in each file.
      isolate: false,
      // More than the two cores of a small machine: most of the time a test waits for a server.
      maxWorkers: 5,
      testTimeout: 60_000,
      hookTimeout: 60_000,
      ...test,
    },
  };
}

/** The project that mutation testing runs, too. */
export const unit = {
  resolve: { alias: packageAlias((_subpath, source) => source) },
  // As the build has it.
  plugins: [
    {
      name: 'sql-as-text',
      enforce: 'pre' as const,
      transform: (text: string, file: string) =>
        file.endsWith('.sql') ? `export default ${JSON.stringify(text)}` : undefined,
    },
  ],
  test: {
    name: 'unit',
    include: ['test/unit/**/*.test.ts'],
    // The files change nothing that they share, and a process for each takes longer than their tests.
    isolate: false,
    // Beside the servers' tests: most of the time those wait.
    maxWorkers: 5,
    sequence: { groupOrder: 1 },
    // Properties are computed for seconds, and longer beside other work.
    testTimeout: 30_000,
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
            tsconfig: './test/types/tsconfig.json',
          },
        },
      },
      onBuiltPackage({
        name: 'temporal',
        include: ['test/{temporal,examples,docs}/**/*.test.ts'],
        exclude: ['**/*.slow.test.ts'],
        globalSetup: './test/support/temporal-global-setup.ts',
        setupFiles: ['./test/support/worker-log.ts', './test/support/postgres-cleanup.ts'],
        sequence: { groupOrder: 1 },
      }),
      onBuiltPackage({
        name: 'postgres',
        include: ['test/postgres/**/*.test.ts'],
        exclude: ['**/*.slow.test.ts'],
        globalSetup: './test/support/postgres-global-setup.ts',
        setupFiles: './test/support/postgres-cleanup.ts',
        sequence: { groupOrder: 1 },
      }),
      onBuiltPackage({
        name: 'slow',
        include: ['test/**/*.slow.test.ts'],
        // They look at the memory of their process.
        isolate: true,
        globalSetup: ['./test/support/temporal-global-setup.ts', './test/support/postgres-global-setup.ts'],
        setupFiles: ['./test/support/worker-log.ts', './test/support/postgres-cleanup.ts'],
        sequence: { groupOrder: 2 },
      }),
    ],
  },
});
