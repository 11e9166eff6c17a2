import { createRequire } from 'node:module';
import type * as pgModule from 'pg';

/**
 * The `pg` that the library uses. Not the one in `bench/node_modules`: Emmett replaces that one's type parsers for the
 * whole process, and neither a baseline nor the library may be measured with somebody else's parsers.
 */
export const pg = createRequire(new URL('../package.json', import.meta.url))('pg') as typeof pgModule;
