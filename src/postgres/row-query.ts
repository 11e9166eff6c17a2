import type { ClientBase, Submittable } from 'pg';
import { InvalidArgumentError } from '../core/errors/invalid-argument-error.js';
import { isPromise } from '../core/values/is-promise.js';
import { isObject } from '../core/values/json.js';
import type { SqlRow } from '../sql/sql-port.js';
import { rowQueryOf } from './pg-internals.js';

/** A statement as `pg` takes it; without values it may be several. */
export interface RowQueryConfig {
  readonly text: string;
  readonly values?: readonly unknown[];
  /** The name to keep it prepared by. */
  readonly name?: string;
}

/** The text that the server sent, whatever parsers the client or `pg` has. */
const asSent = { getTypeParser: () => (value: unknown) => value };

/**
 * Runs a statement and passes on its rows as they arrive, as the texts that the server sent, whatever parsers, options
 * and formats the caller's `pg` has.
 *
 * An instrumentation of `pg` may copy the query's configuration, or answer by a promise instead of its callback. So the
 * configuration also holds all that makes `pg` itself give the same rows, and rows that come that way are checked.
 *
 * @param done called once, with the error if there is one
 */
export function queryRows(
  client: ClientBase,
  config: RowQueryConfig,
  take: (row: SqlRow) => void,
  done: (failure?: Error) => void,
): void {
  let isDone = false;
  const callback = (error: unknown, result?: unknown): void => {
    if (isDone) return;
    isDone = true;
    if (error != null) {
      done(error as Error);
      return;
    }
    try {
      for (const each of resultsOf(result)) {
        const isBinary = each.fields?.some(({ format }) => format === 'binary') === true;
        for (const row of each.rows) take(asTexts(row, isBinary));
      }
      done();
    } catch (failure) {
      done(failure as Error);
    }
  };
  const whole = { ...config, rowMode: 'array', types: asSent, callback };
  try {
    const query = rowQueryOf(client, whole, take) ?? whole;
    const answer: unknown = client.query(query as Submittable);
    if (!isPromise(answer)) return;
    answer.then((result: unknown) => {
      // The promise may give just the query itself, whose rows are still to come.
      if (resultsOf(result).length > 0) callback(undefined, result);
    }, callback);
  } catch (error) {
    callback(error);
  }
}

/** Collects the rows of a statement, by {@link queryRows}. */
export function readRows(client: ClientBase, config: RowQueryConfig): Promise<readonly SqlRow[]> {
  return new Promise((resolve, reject) => {
    const rows: SqlRow[] = [];
    queryRows(
      client,
      config,
      (row) => rows.push(row),
      (error) => {
        if (error === undefined) resolve(rows);
        else reject(error);
      },
    );
  });
}

interface Result {
  readonly rows: readonly unknown[];
  readonly fields?: readonly { readonly format?: string }[];
}

/** One result, or those of several statements; none if it isn't a result. */
function resultsOf(result: unknown): readonly Result[] {
  if (Array.isArray(result)) return result.flatMap(resultsOf);
  return isObject(result) && Array.isArray((result as Partial<Result>).rows) ? [result as Result] : [];
}

function asTexts(row: unknown, isBinary: boolean): SqlRow {
  const isText = (value: unknown): boolean => typeof value === 'string' || value === null;
  if (!isBinary && Array.isArray(row) && row.every(isText)) return row as SqlRow;
  throw new InvalidArgumentError(
    `The database's answer did not arrive as the text that it sent. What wraps the query() of the client must leave 'types', ` +
      `'rowMode' and 'binary' of a query as they are; and where it copies queries, the client must not have 'binary: true'.`,
  );
}
