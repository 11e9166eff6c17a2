import type { KnipConfig } from 'knip';
import { entries } from './dev/entries.js';

const config: KnipConfig = {
  workspaces: {
    '.': {
      entry: [
        ...Object.values(entries),
        'test/**/*.{test,test-d}.ts',
        'test/docs/example-context.ts',
        'test/examples/event-log/kill-*.mjs',
        'test/faults/*-process.ts',
        'test/mutation/{vitest.config,shorter-properties}.ts',
        'test/temporal/workflows/*.ts',
      ],
      project: ['{src,test,dev}/**/*.{ts,mjs}', '!test/packaging/consumers/**'],
      // Vitest's replay of histories loads the one by itself; the other is what the examples import.
      ignoreDependencies: ['protobufjs', 'temporal-event-store'],
    },
    examples: {
      entry: [
        '*/{main,workflows}.ts',
        'payment/api/main.ts',
        'hot-account/worker-process.ts',
        'temporal-server-process.ts',
      ],
      project: ['**/*.ts'],
    },
  },
  stryker: { config: ['test/mutation/stryker.config.mjs'] },
  ignoreBinaries: ['go'],
};
export default config;
