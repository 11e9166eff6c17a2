import { URL, fileURLToPath } from 'node:url';

/** @type {import('@stryker-mutator/api/core').PartialStrykerOptions} */
export default {
  ignorePatterns: ['/bench', '/dist', '/docs', '/reports', '/examples/.store', '/examples/dist'],
  testRunner: 'vitest',
  // The tests that a mutant needs are known from the first run; to look for related files again takes longer.
  vitest: { configFile: 'test/mutation/vitest.config.ts', related: false },
  plugins: ['@stryker-mutator/vitest-runner', fileURLToPath(new URL('ignore-messages.mjs', import.meta.url))],
  ignorers: ['messages'],
  coverageAnalysis: 'perTest',
  // What runs when a file is loaded needs all tests for each mutant. Those are mostly lists of names.
  ignoreStatic: true,
  concurrency: 1,
  // On top of what its tests take without a mutant.
  timeoutMS: 10_000,
  reporters: [process.stdout.isTTY ? 'progress' : 'progress-append-only', 'clear-text', 'html'],
  clearTextReporter: { allowColor: process.stdout.isTTY === true, logTests: false, reportTests: false },
  logLevel: 'warn',
  allowEmpty: true,
};
