import { createRequire } from 'node:module';
import type * as pgModule from 'pg';
import type * as coreModule from 'temporal-event-store';
import type * as clientModule from 'temporal-event-store/client';
import type * as memoryModule from 'temporal-event-store/memory';
import type * as postgresModule from 'temporal-event-store/postgres';
import type * as workerModule from 'temporal-event-store/worker';

/**
 * The built library and the `pg` that it uses. Not the `pg` in `bench/node_modules`: Emmett replaces that one's type parsers
 * for the whole process, and neither a baseline nor the library may be measured with somebody else's parsers.
 */
const require = createRequire(new URL('../package.json', import.meta.url));

export const pg = require('pg') as typeof pgModule;
export const { defineProjection, isEventStoreError, iterateAll } =
  require('temporal-event-store') as typeof coreModule;
export const { PostgresEventStore, PostgresProjectionSink } =
  require('temporal-event-store/postgres') as typeof postgresModule;
export const { MemoryEventStore } = require('temporal-event-store/memory') as typeof memoryModule;
export const { AggregateClient, ProjectionClient, TemporalEventStore } =
  require('temporal-event-store/client') as typeof clientModule;
export const { EventStorePlugin } = require('temporal-event-store/worker') as typeof workerModule;
