import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { unit } from '../../vitest.config.js';
import { SmallestFirst } from './smallest-first.js';

/** With `--with-server`: tests for what unit tests can't reach. The server runs as long as the mutants are tried. */
const testsOnServer: Readonly<Record<string, readonly string[]>> = {
  'src/sql': ['test/postgres/conformance.test.ts'],
  'src/sql/projections': ['test/postgres/projections/sink.test.ts'],
};
const withServer = testsOnServer[process.env['MUTATION_ON_SERVER'] ?? ''] ?? [];

export default defineConfig({
  ...unit,
  root: fileURLToPath(new URL('../..', import.meta.url)),
  test: {
    ...unit.test,
    include: [...unit.test.include, ...withServer],
    globalSetup: withServer.length > 0 ? ['test/support/postgres-global-setup.ts'] : [],
    // Slow ones that are about Temporal: of the folders here they reach nothing that others don't.
    exclude: ['test/unit/temporal/{command-executor,fit-outcomes,webhook-publisher}.test.ts'],
    setupFiles: ['test/mutation/shorter-properties.ts'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    sequence: { sequencer: SmallestFirst },
  },
});
