import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { migrationScript } from 'temporal-event-store/postgres';
import { findPostgresBinaries } from '../../dev/postgres-server/binaries.js';
import { query } from './postgres.js';

const tables = ['store', 'migrations', 'streams', 'events', 'snapshots', 'checkpoints'];

/**
 * Dumps the store of one database and restores it in another, which has none: by PostgreSQL's own programs where the
 * installation has them, as with `POSTGRES_BIN_DIR`, else by SQL that does the same.
 */
export async function dumpAndRestore(fromUrl: string, toUrl: string): Promise<void> {
  if (process.env['POSTGRES_BIN_DIR']) {
    await withPrograms(fromUrl, toUrl);
  } else {
    await query(toUrl, migrationScript('event_store'));
    await copyRows(fromUrl, toUrl);
    const [sequence] = await query<{ last: string }>(
      fromUrl,
      'select last_value as last from event_store.positions',
    );
    await query(toUrl, `select setval('event_store.positions', $1)`, [sequence!.last]);
  }
}

/** Copies the rows alone, as a dump of the data of the tables does. */
export async function copyRows(fromUrl: string, toUrl: string): Promise<void> {
  for (const table of tables) {
    const [row] = await query<{ rows: string }>(
      fromUrl,
      `select coalesce(json_agg(t), '[]')::text as rows from event_store.${table} t`,
    );
    // A migrated schema has a store id and its migrations already.
    if (table === 'store' || table === 'migrations') await query(toUrl, `delete from event_store.${table}`);
    await query(
      toUrl,
      `insert into event_store.${table} select * from json_populate_recordset(null::event_store.${table}, $1)`,
      [row!.rows],
    );
  }
}

async function withPrograms(fromUrl: string, toUrl: string): Promise<void> {
  const { folder } = await findPostgresBinaries();
  const files = await mkdtemp(join(tmpdir(), 'dump-'));
  try {
    const file = join(files, 'store.sql');
    const run = promisify(execFile);
    await run(join(folder, 'pg_dump'), ['--schema', 'event_store', '--file', file, fromUrl]);
    await run(join(folder, 'psql'), ['--quiet', '--set', 'ON_ERROR_STOP=1', '--file', file, toUrl]);
  } finally {
    await rm(files, { recursive: true });
  }
}
