import { EventStoreError } from '../core/errors/event-store-error.js';
import { InvalidArgumentError } from '../core/errors/invalid-argument-error.js';
import { StoreAccessDeniedError, StoreUnavailableError } from '../core/errors/store-errors.js';
import { isObject } from '../core/values/json.js';
import { messageOf, sqlStateOf, translateSqlError } from '../sql/sql-errors.js';

/** A typed error for an error of opening an embedded database: of the file system, PGlite, or its PostgreSQL. */
export function translateOpenError(error: unknown, folder: string | undefined): unknown {
  const cause = { cause: error };
  switch (folder === undefined || !isObject(error) ? undefined : (error as { code?: unknown }).code) {
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return new StoreAccessDeniedError(
        `The folder ${folder} can't be written to: ${messageOf(error)}`,
        cause,
      );
    case 'ENOTDIR':
    case 'EEXIST':
    case 'ENAMETOOLONG':
      return new InvalidArgumentError(`dataDir can't be a folder at ${folder}: ${messageOf(error)}`, cause);
  }
  if (error instanceof EventStoreError || sqlStateOf(error) !== undefined) return translateSqlError(error);
  // An error of WebAssembly, such as a lack of memory, or of the module loader.
  const where = folder === undefined ? '' : ` in ${folder}`;
  return new StoreUnavailableError(
    `The embedded database${where} can't be opened: ${messageOf(error)}.${adviceFor(error)}`,
    cause,
  );
}

function adviceFor(error: unknown): string {
  const isOfJest =
    (error as { code?: unknown } | undefined)?.code === 'ERR_VM_DYNAMIC_IMPORT_CALLBACK_MISSING_FLAG';
  return isOfJest
    ? ' PGlite imports modules as it opens: under jest, start node with --experimental-vm-modules.'
    : '';
}
