import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { unit } from '../../vitest.config.js';
import { SmallestFirst } from './smallest-first.js';

/** Of these, mutants of `src/sql` are tried with some that have a server, which runs as long as they do. */
const withServer =
  process.env['MUTATION_OF'] === 'sql'
    ? ['test/postgres/conformance.test.ts', 'test/postgres/projections/sink.test.ts']
    : [];

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
