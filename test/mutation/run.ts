import { dirname } from 'node:path';
import { parseArgs } from 'node:util';
import { Stryker } from '@stryker-mutator/core';
import { scoreOf, table, type Score } from './score.js';

// What unit tests cover. A folder leaves out those in it that stand here too.
const allFolders = [
  'src/core/values',
  'src/core/events',
  'src/core/errors',
  'src/core/store',
  'src/core/registry',
  'src/core/aggregates',
  'src/core/projections',
  'src/core/reactions',
  'src/memory',
  'src/cache',
  'src/sql',
  'src/sql/projections',
  'src/testing',
  'examples/payment/domain',
  'examples/event-log',
  'examples/fines',
];

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    incremental: { type: 'boolean', default: false },
    'with-server': { type: 'boolean', default: false },
  },
});

const scores: Score[] = [];
for (const folder of positionals.length > 0 ? positionals : allFolders) {
  const files = folder.endsWith('.ts') ? folder : `${folder}/**/*.ts`;
  const others = allFolders.filter((other) => other.startsWith(`${folder}/`)).map((other) => `!${other}/**`);
  // For test/mutation/vitest.config.ts, in the processes of Stryker.
  process.env['MUTATION_ON_SERVER'] = values['with-server']
    ? folder.endsWith('.ts')
      ? dirname(folder)
      : folder
    : '';
  const report = `reports/mutation/${folder.replaceAll('/', '-')}`;
  const stryker = new Stryker({
    configFile: 'test/mutation/stryker.config.mjs',
    mutate: [files, ...others],
    htmlReporter: { fileName: `${report}.html` },
    // The report as JSON. `--incremental` goes on from the last, and tries only what may differ: survivors that a changed
    // test reaches.
    incremental: true,
    force: !values.incremental,
    incrementalFile: `${report}.json`,
    // To drop the databases that they made takes some tests longer than they took.
    ...(values['with-server'] && folder.includes('projections') && { timeoutMS: 60_000 }),
  });
  scores.push(scoreOf(folder, await stryker.runMutationTest()));
}
console.log(table(scores));
