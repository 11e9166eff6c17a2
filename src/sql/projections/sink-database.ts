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

/** What a transaction begins and ends with: statements without parameters, which may share a round trip with BEGIN and COMMIT. */
export interface TransactionFrame {
  /** A query. */
  readonly opening: string;
  /** The last statements of a transaction that isn't rolled back; they may still fail it. @param opened the rows of the opening */
  readonly closing: (opened: readonly SqlRow[]) => readonly string[];
}

/**
 * Runs something in a transaction, and rolls back when it throws. When that can't be done, or not be known, it throws what
 * the driver did: the connection is to blame, and not what was run.
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
  /** What a handler gets of such a transaction, watched by the guard. */
  readonly guard: (client: Client, guard: HandlerGuard) => Client;
}

/** Runs the statements of a sink on its tables, which it makes when they aren't there. */
export class SinkDatabase<Client extends SqlClient> {
  readonly #schema: string;
  readonly #driver: SinkDriver<Client>;
  #prepared: Promise<void> | undefined;

  /** @param schema of the tables of the sink */
  constructor(schema: string, driver: SinkDriver<Client>) {
    assertSchemaName(schema);
    this.#schema = schema;
    this.#driver = driver;
  }

  /**
   * A transaction whose failures are the handler's, or typed errors.
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

  /** In a transaction in which nobody else changes the builds of the projection. */
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
   * Runs what the user has written.
   *
   * @throws HandlerError when it did with its client what isn't its to do
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

  /** A statement with its values in it, for a frame. */
  inline(statement: FramedStatement, values: readonly SinkValue[]): string {
    return statement.withValues(values, (text) => inSchema(text, this.#schema));
  }

  /** Makes the tables, once a process. @throws InvalidArgumentError when somebody else's have their names */
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

/** What the server said, in whatever a query library has put around it. */
function serverErrorIn(error: unknown): unknown {
  let each = error;
  for (let depth = 0; depth < 5 && isObject(each); depth++) {
    if (sqlStateOf(each) !== undefined) return each;
    each = (each as { readonly cause?: unknown }).cause;
  }
  return undefined;
}

/** Whether a statement took longer than `statement_timeout` lets it, and wasn't cancelled by somebody. */
function isOwnTimeout(error: unknown): boolean {
  return sqlStateOf(error) === '57014' && !/user request/i.test(messageOf(error));
}
