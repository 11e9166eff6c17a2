import { InvalidArgumentError } from '../../core/errors/invalid-argument-error.js';
import { SchemaOutdatedError } from '../../core/errors/store-errors.js';
import { outdatedSchema } from '../sql-errors.js';
import { statement, type SqlPort } from '../sql-port.js';
import { findMissingMigrations } from './migrations.js';

const oldestServer = 140_000;

const serverSettings =
  statement(`select pg_catalog.current_setting('server_version_num'), pg_catalog.current_setting('server_version'),
  pg_catalog.current_setting('server_encoding'), pg_catalog.current_setting('synchronous_commit'),
  pg_catalog.current_setting('transaction_isolation')`);

/** A port that runs a check before its first statement, and again until it passes. */
export function checkedPort(port: SqlPort, check: () => Promise<void>): SqlPort {
  let checked: Promise<void> | undefined;
  return {
    async query(...args) {
      checked ??= check();
      try {
        await checked;
      } catch (error) {
        checked = undefined;
        throw error;
      }
      return port.query(...args);
    },
  };
}

/**
 * Checks that the server can be used, and that the schema exists and isn't older than this library.
 *
 * @param warn called for settings that work but are dangerous
 * @throws SchemaOutdatedError · InvalidArgumentError for a setting that the store can't work with
 */
export async function checkSchema(
  port: SqlPort,
  schema: string,
  warn: (warning: string) => void,
): Promise<void> {
  const [settings = []] = await port.query(serverSettings, []);
  const [number, version, encoding, synchronousCommit, isolation] = settings;
  if (Number(number) < oldestServer) {
    throw new SchemaOutdatedError(
      `The server is PostgreSQL ${version ?? '?'}; this library needs 14 or newer.`,
    );
  }
  if (encoding !== 'UTF8') {
    throw new SchemaOutdatedError(
      `The encoding of the database is ${encoding ?? '?'}; create one with UTF8, which holds every text.`,
    );
  }
  if (isolation !== 'read committed' && isolation !== 'read uncommitted') {
    throw new InvalidArgumentError(
      `default_transaction_isolation is ${isolation ?? '?'}: appends that meet would fail instead of following each other. ` +
        `Set it to 'read committed' for this role or pool (alter role … set default_transaction_isolation = 'read committed').`,
    );
  }
  if (synchronousCommit === 'off') {
    warn('synchronous_commit is off: a crash of the server loses events whose append was confirmed.');
  }
  const missing = await findMissingMigrations(port, schema);
  if (missing.length > 0) throw outdatedSchema(`schema "${schema}" lacks ${missing.join(', ')}`);
}
