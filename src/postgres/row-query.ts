import type { Client, ClientBase, Submittable } from 'pg';
import { InvalidArgumentError } from '../core/errors/invalid-argument-error.js';
import { isPromise } from '../core/values/is-promise.js';
import { isObject } from '../core/values/json.js';
import type { SqlRow } from '../sql/sql-port.js';

/** A statement as `pg` takes it; without values it may be several. */
export interface RowQueryConfig {
  readonly text: string;
  readonly values?: readonly unknown[];
  /** To keep it prepared by. */
  readonly name?: string;
}

/** The parts of `pg` that its types lack. */
interface Connection {
  describe: (message: unknown) => void;
}
interface Query extends Submittable {
  binary?: boolean;
  values: unknown;
  name: unknown;
  types: unknown;
  callback: unknown;
  prepare(connection: Connection): void;
}
type QueryClass = new (text: string) => Query;
type RowQueryClass = new (config: WholeConfig, take: (row: SqlRow) => void) => Query;
interface WholeConfig extends RowQueryConfig {
  readonly types: unknown;
  readonly callback: unknown;
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
  const { Query } = client.constructor as Partial<typeof Client> & { readonly Query?: QueryClass };
  const whole = { ...config, rowMode: 'array', types: asSent, callback };
  try {
    const query = Query === undefined ? whole : new (rowQueryClassOf(Query))(whole, take);
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

const classes = new WeakMap<QueryClass, RowQueryClass>();

/** @param Query that of the client, which need not be of the `pg` that is found from here */
function rowQueryClassOf(Query: QueryClass): RowQueryClass {
  let RowQuery = classes.get(Query);
  if (RowQuery === undefined) classes.set(Query, (RowQuery = rowQueryClass(Query)));
  return RowQuery;
}

/**
 * It leaves out what `pg` does for parsers of types: it asks for no description of the columns, and makes no second row of
 * the first. Reading of events takes 3 % less time without, a single append 6 %.
 */
function rowQueryClass(Query: QueryClass): RowQueryClass {
  if (!('handleDataRow' in (Query.prototype as object))) {
    throw new InvalidArgumentError(
      'The clients of the pool are those of pg.native, which gives no text of what it reads. Use the Pool or Client of pg itself.',
    );
  }
  return class extends Query {
    /** For who copies it. */
    readonly rowMode = 'array';
    readonly #take: (row: SqlRow) => void;

    constructor(config: WholeConfig, take: (row: SqlRow) => void) {
      // A text and not the configuration, which `pg` would copy property by property: 2 % of a small read.
      super(config.text);
      this.values = config.values;
      this.name = config.name;
      this.types = config.types;
      this.callback = config.callback;
      this.#take = take;
    }

    override prepare(connection: Connection): void {
      const { describe } = connection;
      connection.describe = nothing;
      // A client that is told `binary: true` has set it.
      this.binary = false;
      try {
        super.prepare(connection);
      } finally {
        connection.describe = describe;
      }
    }

    handleDataRow({ fields }: { readonly fields: SqlRow }): void {
      this.#take(fields);
    }
  };
}

function nothing(): void {
  // Asks for nothing.
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
