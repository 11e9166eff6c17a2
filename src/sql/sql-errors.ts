import { EventStoreError } from '../core/errors/event-store-error.js';
import { InvalidArgumentError } from '../core/errors/invalid-argument-error.js';
import {
  SchemaOutdatedError,
  StoreAccessDeniedError,
  StoreCorruptedError,
  StoreUnavailableError,
} from '../core/errors/store-errors.js';
import { describeError } from '../core/values/describe-error.js';
import { isObject } from '../core/values/json.js';
import { messageWithoutValues, withoutValues } from './database-error.js';

/** The meaning of a driver's error. Codes: https://www.postgresql.org/docs/current/errcodes-appendix.html */
type Meaning = 'unavailable' | 'retryable' | 'access' | 'schema' | 'corrupted' | 'refused';

const meanings: readonly (readonly [codes: RegExp, meaning: Meaning])[] = [
  [/^(40001|40P01)$/, 'retryable'], // serialization failure, deadlock
  [/^(28...|42501)$/, 'access'],
  [/^(42P01|42883|3F000|42703|42704)$/, 'schema'], // no such table, function, schema, column, type
  [/^(XX001|XX002)$/, 'corrupted'], // of a table, of an index
  // Connection, resources, operator (shutdown, cancel), system; a server that takes no writes (a standby by now);
  // no such database, a timeout of a lock or of an idle transaction.
  [/^(08...|53...|57...|58...|XX...|25006|25P03|25P04|3D000|55P03|26000|42P05)$/, 'unavailable'],
];

/** The SQLSTATE of an error that the server reported; every driver has it in `code`. */
export function sqlStateOf(error: unknown): string | undefined {
  if (!isObject(error)) return undefined;
  const { code, severity } = error as { readonly code?: unknown; readonly severity?: unknown };
  return typeof severity === 'string' && typeof code === 'string' ? code : undefined;
}

function meaningOf(error: unknown): Meaning | undefined {
  const state = sqlStateOf(error);
  // PgBouncer gives no better code.
  if (state === '08P01' && /authentication failed|no such user/i.test(messageOf(error))) return 'access';
  if (state !== undefined) return meanings.find(([codes]) => codes.test(state))?.[1] ?? 'refused';
  // A bug of this library, or an error that is typed already.
  if (error instanceof EventStoreError || error instanceof TypeError || error instanceof RangeError) {
    return undefined;
  }
  // Such as "no password given", which never reaches the server.
  if (/^SASL|password/i.test(messageOf(error))) return 'access';
  // An error that the server didn't report comes from the connection.
  return 'unavailable';
}

/** Typed errors that may not occur on another attempt. */
const retryable = new WeakSet<EventStoreError>();

/** Marks a typed error as retryable, for {@link isRetryableSqlError}. */
export function asRetryable<E extends EventStoreError>(error: E): E {
  retryable.add(error);
  return error;
}

/** Whether the call may succeed when repeated: the database was unavailable, or made it the victim of a conflict. */
export function isRetryableSqlError(error: unknown): boolean {
  if (error instanceof EventStoreError) return retryable.has(error);
  return ['unavailable', 'retryable'].includes(meaningOf(error) as string);
}

/** A timeout of one statement (cancelled, or waiting for a lock), or a statement name that a pooler doesn't know. */
const ofStatement = /^(57014|55P03|26000|42P05)$/;

/**
 * Whether a connection must not be used again after this error: it is lost or silent, or its server shuts down, takes no
 * writes, lacks a resource, or is the wrong one. Another connection may lead to another server.
 */
export function spoilsConnection(error: unknown): boolean {
  const state = sqlStateOf(error);
  if (state === undefined) return true;
  const meaning = meaningOf(error);
  return !isRefused(error) && meaning !== 'retryable' && !ofStatement.test(state);
}

/** Whether the server takes no writes: it is a standby, or was made read-only. */
export function isReadOnly(error: unknown): boolean {
  return sqlStateOf(error) === '25006';
}

/** Whether the statement is to blame, or the pages that it touched; not the connection, server, rights or schema. */
export function isRefused(error: unknown): boolean {
  return ['refused', 'corrupted'].includes(meaningOf(error) as string);
}

/** Whether the server found its own files damaged. */
export function isCorruption(error: unknown): boolean {
  return meaningOf(error) === 'corrupted';
}

/** An error as the cause of a typed one: an error of the server without the values of rows and parameters. */
export function causeOf(error: unknown): unknown {
  return sqlStateOf(error) === undefined ? error : withoutValues(error as object);
}

/**
 * A typed error for an error of a driver. It holds no connection string and no values.
 *
 * @param commitId the commit id of the failed append, to retry it with
 */
export function translateSqlError(error: unknown, commitId?: string): unknown {
  const meaning = meaningOf(error);
  if (meaning === undefined) return error;
  const state = sqlStateOf(error);
  const said = state === undefined ? messageOf(error) : `${messageOf(error)} (SQLSTATE ${state})`;
  const cause = { cause: causeOf(error) };
  switch (meaning) {
    case 'access':
      return new StoreAccessDeniedError(
        `The database refuses access: ${said}. Check the credentials and the grants of the role.`,
        cause,
      );
    case 'schema':
      return outdatedSchema(said, cause);
    case 'corrupted':
      return new StoreCorruptedError(
        `The database is damaged: ${said}. To try again is of no use: restore it, or rebuild the index or table that is named. ` +
          (commitId === undefined
            ? 'Other calls may still work.'
            : `Whether the append was stored is unknown: look for its commit id '${commitId}' then.`),
        cause,
      );
    case 'refused':
      return new InvalidArgumentError(`The database refused the call: ${said}.`, cause);
    default:
      return new StoreUnavailableError(
        commitId === undefined
          ? `The database can't be reached or can't answer: ${said}. Try again.`
          : `The database can't be reached or can't answer: ${said}. Whether the append was stored is unknown: send it again with its commit id '${commitId}'.`,
        { ...cause, commitId },
      );
  }
}

export function outdatedSchema(what: string, options?: ErrorOptions): SchemaOutdatedError {
  return new SchemaOutdatedError(
    `The schema of the event store is missing or older than this version needs: ${what}. Run migrate() as a role that owns it.`,
    options,
  );
}

/** Follows the server's message, which is the same for a standby and for the setting. */
const takesNoWrites = ': it is a standby, or default_transaction_read_only is on';

/**
 * Follows the server's message for a cancelled statement, which is in the server's language and may give a wrong
 * reason: a statement timeout that expires between two messages of the protocol is reported as "due to user request".
 */
const cancelled =
  ': by the statement timeout (statement_timeout) of the session, or by somebody who cancelled it';

/** Names the setting behind an error if the server's message doesn't. */
function reasonOf(state: string | undefined, message: string): string {
  if (state === '25006') return takesNoWrites;
  return state === '57014' && !message.includes('statement timeout') ? cancelled : '';
}

/** Also for an error of another realm, as under jest, which isn't an `Error` here. */
export function messageOf(error: unknown): string {
  const { message, code } = isObject(error) ? (error as { message?: unknown; code?: unknown }) : {};
  if (typeof message === 'string' && message !== '') {
    return messageWithoutValues(error as object) + reasonOf(sqlStateOf(error), message);
  }
  // A connection that fails on every address of a host has an empty message and the errors inside.
  return describeError(code ?? error);
}
