import { StoreUnavailableError } from '../../core/errors/store-errors.js';
import { HandlerError, OwnershipLostError } from '../../core/projections/projection-sink.js';
import { isObject } from '../../core/values/json.js';
import { assertSchemaName, inSchema } from '../schema-name.js';
import {
  causeOf,
  isCorruption,
  isRetryableSqlError,
  messageOf,
  sqlStateOf,
  translateSqlError,
} from '../sql-errors.js';
import type { SqlRow } from '../sql-port.js';
import type { FramedStatement, SinkValue } from './framed-statement.js';
import { HandlerGuard } from './handler-guard.js';
import { findTables, isSetUp } from './own-tables.js';
import * as statements from './statements.js';

/** A connection inside a transaction, as pg's clients and PGlite's transactions are. */
export interface SqlClient {
  query(text: string, values?: unknown[]): Promise<{ readonly rows: readonly unknown[] }>;
}

/** First and last statements of a transaction, without parameters: they may share a round trip with BEGIN or COMMIT. */
export interface TransactionFrame {
  /** A query. */
  readonly opening: string;
  /** The last statements before COMMIT; they may still fail the transaction. @param opened the rows of the opening */
  readonly closing: (opened: readonly SqlRow[]) => readonly string[];
}

/**
 * Runs something in a transaction, and rolls back when it throws. If the rollback fails or its result is unknown, it
 * throws the driver's error: the connection is to blame, not the function that it ran.
 *
 * @param run gets the rows of the frame's opening
 */
type RunTransaction<Client> = <T>(
  run: (client: Client, opened: readonly SqlRow[]) => Promise<T>,
  frame?: TransactionFrame,
) => Promise<T>;

/** How a sink reaches its database. */
export interface SinkDriver<Client> {
  readonly transaction: RunTransaction<Client>;
  /** Runs a statement of the sink's own in such a transaction. Rows are the texts that the server writes. */
  readonly query: (client: Client, text: string, values: readonly SinkValue[]) => Promise<readonly SqlRow[]>;
  /** Makes the client of such a transaction that a handler gets, watched by the guard. */
  readonly guard: (client: Client, guard: HandlerGuard) => Client;
}

/** Runs the statements of a sink on its tables, and creates the tables if they don't exist. */
export class SinkDatabase<Client extends SqlClient> {
  readonly #schema: string;
  readonly #driver: SinkDriver<Client>;
  #prepared: Promise<void> | undefined;

  /** @param schema the schema of the sink's tables */
  constructor(schema: string, driver: SinkDriver<Client>) {
    assertSchemaName(schema);
    this.#schema = schema;
    this.#driver = driver;
  }

  /**
   * Runs a transaction. It fails with an error of the handler or a typed error.
   *
   * @param whose attributes an error to the code that caused it
   */
  async run<T>(
    run: (client: Client, opened: readonly SqlRow[]) => Promise<T>,
    {
      frame,
      whose = (error) => error,
    }: { frame?: TransactionFrame; whose?: (error: unknown) => unknown } = {},
  ): Promise<T> {
    await this.#prepare();
    return this.#run(run, frame, whose);
  }

  /** Runs a transaction during which nobody else changes the builds of the projection. */
  alone<T>(name: string, run: (client: Client) => Promise<T>): Promise<T> {
    return this.run(async (client) => {
      await this.query(client, statements.lockProjection, [name]);
      return run(client);
    });
  }

  query(client: Client, text: string, values: readonly SinkValue[]): Promise<readonly SqlRow[]> {
    return this.#driver.query(client, inSchema(text, this.#schema), values);
  }

  /**
   * Runs the user's code.
   *
   * @throws HandlerError when the code misused its client
   */
  async guarded(
    client: Client,
    run: (client: Client) => Promise<void>,
    guard = new HandlerGuard(),
  ): Promise<void> {
    let failure: { readonly error: unknown } | undefined;
    try {
      await run(this.#driver.guard(client, guard));
    } catch (error) {
      failure = { error };
    }
    guard.end(failure !== undefined);
    if (failure !== undefined) throw failure.error;
  }

  /** The text of a statement with its values in it, for a frame. */
  inline(statement: FramedStatement, values: readonly SinkValue[]): string {
    return statement.withValues(values, (text) => inSchema(text, this.#schema));
  }

  /** Creates the tables, once per process. @throws InvalidArgumentError when somebody else's tables have their names */
  async #prepare(): Promise<void> {
    this.#prepared ??= this.#run(async (client) => {
      await this.query(client, statements.lockSetUp, []);
      const found = await this.query(client, findTables, [this.#schema]);
      if (isSetUp(found, this.#schema)) return;
      for (const text of statements.setUp) await this.query(client, text, []);
    });
    try {
      await this.#prepared;
    } catch (error) {
      this.#prepared = undefined;
      throw error;
    }
  }

  async #run<T>(
    run: (client: Client, opened: readonly SqlRow[]) => Promise<T>,
    frame?: TransactionFrame,
    whose = (error: unknown): unknown => error,
  ): Promise<T> {
    try {
      return await this.#driver.transaction(run, frame);
    } catch (thrown) {
      const error = whose(thrown);
      if (error instanceof OwnershipLostError) throw error;
      if (!(error instanceof HandlerError)) throw translateSqlError(error);
      const cause = serverErrorIn(error.cause);
      if (isCorruption(cause)) throw translateSqlError(cause);
      if (cause === undefined || !isRetryableSqlError(cause) || isOwnTimeout(cause)) throw error;
      throw new StoreUnavailableError(
        `The database could not apply the events just now: ${error.message}. They are tried again.`,
        { commitId: undefined, cause: causeOf(cause) },
      );
    }
  }
}

/** The server's error, inside the errors that a query library has put around it. */
function serverErrorIn(error: unknown): unknown {
  let each = error;
  for (let depth = 0; depth < 5 && isObject(each); depth++) {
    if (sqlStateOf(each) !== undefined) return each;
    each = (each as { readonly cause?: unknown }).cause;
  }
  return undefined;
}

/** Whether a statement exceeded `statement_timeout`, and nobody cancelled it. */
function isOwnTimeout(error: unknown): boolean {
  return sqlStateOf(error) === '57014' && !/user request/i.test(messageOf(error));
}
