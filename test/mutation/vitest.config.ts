import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { unit } from '../../vitest.config.js';
import { SmallestFirst } from './smallest-first.js';

/** SQL needs a database. The one in the process takes two seconds, so it is there for SQL only. */
const withDatabase = process.env['MUTATION_DATABASE'] === 'pglite';

export default defineConfig({
  ...unit,
  root: fileURLToPath(new URL('../..', import.meta.url)),
  test: {
    ...unit.test,
    include: [...unit.test.include, ...(withDatabase ? ['test/mutation/*.test.ts'] : [])],
    // Slow ones that are about Temporal: of the folders here they reach nothing that others don't.
    exclude: ['test/unit/temporal/{command-executor,fit-outcomes,webhook-publisher}.test.ts'],
    setupFiles: ['test/mutation/shorter-properties.ts'],
    testTimeout: 30_000,
    sequence: { sequencer: SmallestFirst },
  },
});
