import { createRequire } from 'node:module';
import type * as pgModule from 'pg';
import type * as coreModule from 'temporal-event-store';
import type * as postgresModule from 'temporal-event-store/postgres';

/**
 * The built library and the `pg` that it uses. Not the `pg` in `bench/node_modules`: Emmett replaces that one's type parsers
 * for the whole process, and neither a baseline nor the library may be measured with somebody else's parsers.
 */
const require = createRequire(new URL('../package.json', import.meta.url));

export const pg = require('pg') as typeof pgModule;
export const { isEventStoreError, iterateAll } = require('temporal-event-store') as typeof coreModule;
export const { PostgresEventStore } = require('temporal-event-store/postgres') as typeof postgresModule;
