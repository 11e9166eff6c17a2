import type { Pool, PoolClient } from 'pg';
import { StoreUnavailableError } from '../core/errors/store-errors.js';
import { HandlerError } from '../core/projections/projection-sink.js';
import { isSessionChange } from '../sql/projections/session-state.js';
import type { TransactionFrame } from '../sql/projections/sink-database.js';
import { causeOf, spoilsConnection, sqlStateOf } from '../sql/sql-errors.js';
import type { SqlRow } from '../sql/sql-port.js';
import { assertUtf8 } from './client-encoding.js';
import { NoAnswerError, within } from './no-answer.js';
import { cutOff, progressOf } from './pg-internals.js';
import { PoolConnections } from './pool-connections.js';
import { readRows } from './row-query.js';

/** Whatever the default of the session is: after waiting for a lock, a statement must see what was committed meanwhile. */
const begin = 'begin isolation level read committed';

/** A rollback alone keeps the session locks that a handler may have taken. */
const rollback = 'rollback; select pg_catalog.pg_advisory_unlock_all()';

/** Milliseconds within which a failed transaction must be rolled back, or its connection counts as lost. */
const rollbackTimeout = 5_000;

export interface TransactionLimits {
  /** Milliseconds after which a statement without an answer, and its connection, are given up. */
  readonly operationTimeout: number;
  /** Milliseconds to wait for a connection of the pool. */
  readonly poolTimeout: number;
  readonly frame?: TransactionFrame | undefined;
}

/**
 * Runs something in a transaction of its own. When it throws, this rolls back and passes the error on. If the
 * connection turns out to be lost, that is the error, whatever was thrown.
 */
export async function runTransaction<T>(
  pool: Pool,
  run: (client: PoolClient, opened: readonly SqlRow[]) => Promise<T>,
  { operationTimeout, poolTimeout, frame }: TransactionLimits,
): Promise<T> {
  const connections = PoolConnections.of(pool);
  const client = await connections.take(poolTimeout);
  const watch = watchForAnswers(client, operationTimeout);
  let failure: { readonly error: unknown } | undefined;
  try {
    await assertUtf8(client, operationTimeout);
    const opened = await readRows(client, {
      text: frame === undefined ? begin : `${begin}; ${frame.opening}`,
    });
    const result = await run(client, opened);
    await client.query([...(frame?.closing(opened) ?? []), 'commit'].join('; '));
    return result;
  } catch (error) {
    const isLost = !(await rollBack(client));
    const isSpoilt = isLost || isSessionChange(error);
    failure = isSpoilt ? { error: watch.silence ?? new Error('lost') } : saidBy(error);
    if (!isLost) throw error;
    throw overdue(watch.ending ?? error) ?? connectionLost(watch.silence ?? watch.ending ?? error);
  } finally {
    watch.end();
    connections.giveBack(client, failure);
  }
}

/** The server's error inside an error, if it spoils the connection. */
function saidBy(error: unknown): { readonly error: unknown } | undefined {
  const errors = [error, error instanceof Error ? error.cause : undefined];
  const found = errors.find((each) => sqlStateOf(each) !== undefined && spoilsConnection(each));
  return found === undefined ? undefined : { error: found };
}

/** Cuts off a connection when a statement waits on it, whoever sent it, and nothing arrives. */
function watchForAnswers(
  client: PoolClient,
  timeout: number,
): {
  readonly silence: NoAnswerError | undefined;
  /** The server's error when it ended the connection. */
  readonly ending: unknown;
  readonly end: () => void;
} {
  let silence: NoAnswerError | undefined;
  let ending: unknown;
  const hear = (error: unknown): void => void (ending ??= error);
  client.on('error', hear);
  let seen: number | undefined;
  let since = performance.now();
  const timer = setInterval(
    () => {
      const progress = progressOf(client);
      if (progress === undefined || progress !== seen) {
        [seen, since] = [progress, performance.now()];
      } else if (performance.now() - since > timeout) {
        silence = new NoAnswerError(timeout);
        cutOff(client);
      }
    },
    Math.min(timeout / 4, 1_000),
  );
  return {
    get silence() {
      return silence;
    },
    get ending() {
      return ending;
    },
    end: () => {
      clearInterval(timer);
      client.off('error', hear);
    },
  };
}

async function rollBack(client: PoolClient): Promise<boolean> {
  try {
    await within(rollbackTimeout, client.query(rollback));
    return true;
  } catch {
    return false;
  }
}

/** The error of a handler that has kept the transaction for longer than the server allows. */
function overdue(error: unknown): HandlerError | undefined {
  const state = sqlStateOf(error instanceof HandlerError ? error.cause : error);
  if (state !== '25P03' && state !== '25P04') return undefined;
  const setting = state === '25P03' ? 'idle_in_transaction_session_timeout' : 'transaction_timeout';
  return new HandlerError(
    new Error(`The server ended its transaction, which took longer than ${setting} lets it.`),
  );
}

function connectionLost(error: unknown): StoreUnavailableError {
  const cause = causeOf(error instanceof HandlerError ? error.cause : error);
  return new StoreUnavailableError(
    `The connection to the database was lost in a transaction: ${cause instanceof Error ? cause.message : String(cause)}. Try again.`,
    { commitId: undefined, cause },
  );
}
