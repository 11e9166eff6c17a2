import { StoreUnavailableError } from '../../core/errors/errors.js';
import { HandlerError, OwnershipLostError } from '../../core/projections/projection-sink.js';
import { assertSchemaName, inSchema } from '../schema-name.js';
import { causeOf, isCorruption, isPassing, sqlStateOf, translateSqlError } from '../sql-errors.js';
import type { SqlRow } from '../sql-port.js';
import * as statements from './statements.js';

/** A connection inside a transaction, as pg's clients and PGlite's transactions are. */
export interface SqlClient {
  query(text: string, values?: unknown[]): Promise<{ readonly rows: readonly unknown[] }>;
}

/** What a transaction begins and ends with: statements without parameters, which may share a round trip with BEGIN and COMMIT. */
export interface TransactionFrame {
  /** A query. */
  readonly opening: string;
  /** Of a transaction that isn't rolled back. */
  readonly closing: string;
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

export type SinkValue = string | number | null;

/** How a sink reaches its database. */
export interface SinkDriver<Client> {
  readonly transaction: RunTransaction<Client>;
  /** Runs a statement of the sink's own in such a transaction. Rows are the texts that the server writes. */
  readonly query: (client: Client, text: string, values: readonly SinkValue[]) => Promise<readonly SqlRow[]>;
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
   * @param whose makes of an error that of who is to blame
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

  /** A statement with its values in it, for a frame. */
  inline(text: string, values: readonly SinkValue[]): string {
    return inSchema(text, this.#schema).replaceAll(/\$(\d)/g, (_, index) =>
      literal(values[Number(index) - 1]),
    );
  }

  /** Makes the tables, once a process. */
  async #prepare(): Promise<void> {
    this.#prepared ??= this.#run(async (client) => {
      await this.query(client, statements.lockSetUp, []);
      const [exists] = await this.query(client, statements.isSetUp, [this.#schema]);
      if (exists?.[0] === 't') return;
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
      const { cause } = error;
      if (isCorruption(cause)) throw translateSqlError(cause);
      if (sqlStateOf(cause) === undefined || !isPassing(cause)) throw error;
      throw new StoreUnavailableError(
        `The database could not apply the events just now: ${error.message}. They are tried again.`,
        { commitId: undefined, cause: causeOf(cause) },
      );
    }
  }
}

/** Whatever `standard_conforming_strings` is: after an E, a backslash is written twice. */
function literal(value: SinkValue | undefined): string {
  if (typeof value === 'number') return String(value);
  return value == null ? 'null' : `E'${value.replaceAll(/['\\]/g, '$&$&')}'`;
}
