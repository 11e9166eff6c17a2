import {
  EventStoreError,
  InvalidArgumentError,
  StoreAccessError,
  StoreUnavailableError,
} from '../core/errors/errors.js';
import { isObject } from '../core/values/json.js';
import { translateSqlError } from '../sql/sql-errors.js';

/** A typed error for whatever opening an embedded database throws: the file system, PGlite, or its PostgreSQL. */
export function translateOpenError(error: unknown, folder: string | undefined): unknown {
  const cause = { cause: error };
  switch (folder === undefined || !isObject(error) ? undefined : (error as { code?: unknown }).code) {
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return new StoreAccessError(`The folder ${folder} can't be written to: ${messageOf(error)}`, cause);
    case 'ENOTDIR':
    case 'EEXIST':
    case 'ENAMETOOLONG':
      return new InvalidArgumentError(`dataDir can't be a folder at ${folder}: ${messageOf(error)}`, cause);
  }
  const translated = translateSqlError(error);
  if (translated instanceof EventStoreError) return translated;
  // Of WebAssembly, such as one that gets no memory.
  return new StoreUnavailableError(
    `The embedded database${folder === undefined ? '' : ` in ${folder}`} can't be opened: ${messageOf(error)}`,
    cause,
  );
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
