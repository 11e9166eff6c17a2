import { SchemaOutdatedError, StoreUnavailableError } from '../../core/errors/store-errors.js';
import { uuidV5 } from '../../core/events/event-id.js';
import { pauseAfter, type Backoff } from '../../core/values/backoff.js';
import { wait } from '../../core/values/wait.js';
import { advisoryLocks } from '../advisory-locks.js';
import { eq } from '../operators.js';
import { assertSchemaName, inSchema } from '../schema-name.js';
import { statement, type SqlPort, type SqlRow, type TransactionalSqlPort } from '../sql-port.js';
import eventStore from './0001_event_store.sql';
import appendConditions from './0002_append_conditions.sql';
import { somebodyElses, tablesNamed } from './named-tables.js';

/** In the order of application. A released migration never changes. */
const migrations = [
  { name: '0001_event_store', text: eventStore },
  { name: '0002_append_conditions', text: appendConditions },
].map((migration) => ({
  ...migration,
  checksum: uuidV5(migration.text),
}));

/** Hides everybody else's names, also from the new objects: defaults and constraints keep the names as resolved now. */
const setSearchPath = 'set local search_path = pg_catalog, pg_temp;';
/** The same lock for every schema in the database: migrations take turns. */
const lock = statement(`select pg_catalog.pg_advisory_xact_lock(${advisoryLocks.migrate})`);
const schemaExists = statement(`select 1 from pg_catalog.pg_namespace where nspname ${eq} $1`);
const createMigrations = `create table if not exists __schema__.migrations (
  name text primary key,
  checksum text not null,
  applied_at timestamptz not null default now()
)`;
const findNamed = statement(
  tablesNamed(['migrations', 'store', 'streams', 'positions', 'events', 'snapshots', 'checkpoints']),
);
const findApplied = statement('select name, checksum from __schema__.migrations order by name');
// The time at the end: what began until then may have begun with what the schema had before.
const recordApplied = statement(
  'insert into __schema__.migrations (name, checksum, applied_at) values ($1, $2, clock_timestamp())',
);
const olderAppends = statement('select * from __schema__.find_older_appends()');

/** Most milliseconds to wait for older appends, and the pauses between two looks at them. */
const longestWait = 30_000;
const betweenLooks: Backoff = { first: 1, longest: 50 };
const sequenceIsBehind =
  statement(`select 1 from __schema__.positions p, (select max(position) from __schema__.events) e
  where e.max >= p.last_value and (p.is_called or e.max > p.last_value) and not (p.is_called and e.max = p.last_value)`);
// Inserts must wait meanwhile: otherwise this could set the sequence back.
const repairSequence = `lock table __schema__.events in share row exclusive mode;
  select setval('__schema__.positions', greatest(max(position), (select last_value from __schema__.positions))) from __schema__.events`;

/**
 * Brings a schema up to date, in one transaction. Any number of processes may do so at the same time. Also corrects the
 * sequence of positions if it is behind the events, as after an incomplete restore.
 *
 * @returns the names of the migrations that this call applied
 * @throws SchemaOutdatedError when an applied migration differs from the library's migration of that name ·
 *   InvalidArgumentError when the schema has somebody else's tables with the names of the store's
 */
export async function migrateSchema(port: TransactionalSqlPort, schema: string): Promise<readonly string[]> {
  const applied = await applyMissing(port, schema);
  await awaitOlderAppends(port);
  return applied;
}

/** An append under a condition doesn't see those that began when nobody locked tags. @throws StoreUnavailableError */
async function awaitOlderAppends(port: SqlPort): Promise<void> {
  const deadline = performance.now() + longestWait;
  for (let looks = 1; ; looks++) {
    const older = (await port.query(olderAppends, [])).map(([transaction]) => transaction as string);
    if (older.length === 0) return;
    if (performance.now() > deadline) {
      throw new StoreUnavailableError(
        `The schema is migrated, but a transaction that began to append before (${older.join(', ')} in ` +
          `pg_locks.virtualtransaction) has not ended for ${longestWait} ms, and appends under a condition don't see its events. End ` +
          `it, and call migrate() again.`,
      );
    }
    await wait(pauseAfter(looks, betweenLooks));
  }
}

async function applyMissing(port: TransactionalSqlPort, schema: string): Promise<readonly string[]> {
  return port.transaction(async (transaction) => {
    await transaction.script(setSearchPath);
    await transaction.query(lock, []);
    if ((await transaction.query(schemaExists, [schema])).length === 0) {
      await transaction.script('create schema __schema__');
    }
    const named = await transaction.query(findNamed, [schema]);
    assertOwnMigrations(named, schema);
    await transaction.script(createMigrations);
    const applied = await readApplied(transaction);
    const [other] = named.filter(([name]) => name !== 'migrations');
    if (applied.size === 0 && other !== undefined) {
      throw somebodyElses(schema, other[0] as string, 'event store');
    }
    const missing = findMissing(applied, schema);
    for (const { name, text, checksum } of missing) {
      await transaction.script(text);
      await transaction.query(recordApplied, [name, checksum]);
    }
    if ((await transaction.query(sequenceIsBehind, [])).length > 0) await transaction.script(repairSequence);
    return missing.map(({ name }) => name);
  });
}

/** The names of the migrations that the schema lacks. @throws the query's error when the schema doesn't exist */
export async function findMissingMigrations(port: SqlPort, schema: string): Promise<readonly string[]> {
  return findMissing(await readApplied(port), schema).map(({ name }) => name);
}

/**
 * The migrations as one script, for a migration tool of yours. `migrate()` then finds them applied.
 *
 * @throws InvalidArgumentError for a malformed name of the schema
 */
export function migrationScript(schema: string): string {
  assertSchemaName(schema);
  const records = migrations.map(
    ({ name, checksum }) =>
      `insert into __schema__.migrations (name, checksum) values ('${name}', '${checksum}');`,
  );
  return inSchema(
    ['begin;', setSearchPath, 'create schema if not exists __schema__;', `${createMigrations};`]
      .concat(migrations.map(({ text }) => text.trim()))
      .concat(records)
      .concat('commit;', '')
      .join('\n\n'),
    schema,
  );
}

function assertOwnMigrations(named: readonly SqlRow[], schema: string): void {
  const columns = named.find(([name]) => name === 'migrations')?.[1]?.split(',');
  if (columns === undefined || ['name', 'checksum', 'applied_at'].every((each) => columns.includes(each))) {
    return;
  }
  throw somebodyElses(schema, 'migrations', 'event store');
}

async function readApplied(port: SqlPort): Promise<ReadonlyMap<string, string>> {
  const rows = await port.query(findApplied, []);
  return new Map(rows.map(([name, checksum]) => [name as string, checksum as string]));
}

function findMissing(applied: ReadonlyMap<string, string>, schema: string): typeof migrations {
  for (const { name, checksum } of migrations) {
    const found = applied.get(name);
    if (found !== undefined && found !== checksum) {
      throw new SchemaOutdatedError(
        `The migration ${name} of schema "${schema}" was changed: its checksum is ${found}, not ${checksum}. ` +
          `It comes from an unreleased version of the library, or was edited; restore it, or use another schema.`,
      );
    }
  }
  return migrations.filter(({ name }) => !applied.has(name));
}
