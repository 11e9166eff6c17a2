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
  /** To keep it prepared by. */
  readonly name?: string;
}

/** The text that the server sent, whatever parsers the client or `pg` has. */
const asSent = { getTypeParser: () => (value: unknown) => value };

/**
 * Runs a statement whose rows are given as they arrive, as the texts that the server sent: no parser, option or format of the
 * caller's `pg` has a part in it.
 *
 * What instruments `pg` may copy the query's configuration, or answer by a promise instead of its callback. So all that makes
 * `pg` give the same rows in its own way stands in the configuration too, and what comes that way is checked.
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
      // It may be no more than the query itself, whose rows are still to come.
      if (resultsOf(result).length > 0) callback(undefined, result);
    }, callback);
  } catch (error) {
    callback(error);
  }
}

/** The rows of {@link queryRows} that a statement gives. */
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

/** One result, or those of several statements; none where it is no result. */
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
