import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import type * as postgresModule from 'temporal-event-store/postgres';
import type { Contender } from './contender.js';
import { migrate, openStore, ours } from './ours.js';

/** An older build of the library: the one in the package at `BENCH_BEFORE`, if it is set. */
export function findBefore(): Contender | undefined {
  const folder = process.env['BENCH_BEFORE'];
  if (!folder) return undefined;
  const require = createRequire(resolve(folder, 'package.json'));
  const { PostgresEventStore } = require('temporal-event-store/postgres') as typeof postgresModule;
  return {
    ...ours,
    name: 'before',
    database: 'before',
    can: ['append'],
    prepare: (url) => migrate(url, PostgresEventStore),
    open: (url) => openStore(url, PostgresEventStore),
  };
}
