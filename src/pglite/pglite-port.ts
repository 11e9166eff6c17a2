import { types, type PGlite, type Transaction } from '@electric-sql/pglite';
import { inSchema } from '../sql/schema-name.js';
import type { SqlRow, SqlScriptPort, SqlStatement, SqlValue, TransactionalSqlPort } from '../sql/sql-port.js';
import { FailedDatabase } from './failed-database.js';

/** Keeps column values as the server's text, instead of JavaScript's types, for all types that statements return. */
const asText = Object.fromEntries(
  [types.INT8, types.INT4, types.TEXT, types.UUID, types.JSON, types.NUMERIC, types.BOOL, 1007, 1016].map(
    (type) => [type, (text: string) => text],
  ),
);

/** Runs a statement whose rows are the texts that the server writes. */
export async function readTexts(
  executor: Pick<PGlite | Transaction, 'query'>,
  text: string,
  values: readonly SqlValue[],
): Promise<readonly SqlRow[]> {
  const parameters = values.map((value) =>
    typeof value === 'object' && value !== null ? [...value.values] : value,
  );
  const { rows } = await executor.query<SqlRow>(text, parameters, { rowMode: 'array', parsers: asText });
  return rows;
}

type Outcome<T> = { readonly value: T } | { readonly error: unknown };

/** The statements of the store on PGlite, which has one connection and runs one statement after the other. */
export class PGlitePort implements TransactionalSqlPort {
  readonly #database: PGlite;
  readonly #schema: string;
  readonly #failed = new FailedDatabase();

  constructor(database: PGlite, schema: string) {
    this.#database = database;
    this.#schema = schema;
  }

  async query<T = SqlRow>(
    statement: SqlStatement,
    values: readonly SqlValue[],
    map?: (row: SqlRow) => T,
  ): Promise<readonly T[]> {
    return this.#query(this.#database, statement, values, map);
  }

  /** Whether the database has failed, so that it can't close in order. */
  get hasFailed(): boolean {
    return this.#failed.hasFailed;
  }

  async transaction<T>(run: (port: SqlScriptPort) => Promise<T>): Promise<T> {
    return this.run((transaction) =>
      run({
        query: (statement, values, map) => this.#query(transaction, statement, values, map),
        script: async (text) => {
          await transaction.exec(inSchema(text, this.#schema));
        },
      }),
    );
  }

  /** Runs a transaction of PGlite, and doesn't roll back if the database has failed in it. */
  async run<T>(run: (transaction: Transaction) => Promise<T>): Promise<T> {
    this.#failed.check();
    const outcome = await new Promise<Outcome<T>>((settle) => {
      const fail = (error: unknown): void => {
        settle({ error });
      };
      const running = this.#database.transaction(async (transaction) => {
        try {
          return await run(transaction);
        } catch (error) {
          if (!this.#failed.note(error)) throw error;
          fail(error);
          return new Promise<never>(() => undefined);
        }
      });
      running.then(
        (value) => {
          settle({ value });
        },
        (error: unknown) => {
          this.#failed.note(error);
          fail(error);
        },
      );
    });
    if ('error' in outcome) throw outcome.error;
    return outcome.value;
  }

  async #query<T = SqlRow>(
    executor: PGlite | Transaction,
    { text }: SqlStatement,
    values: readonly SqlValue[],
    map = (row: SqlRow) => row as T,
  ): Promise<readonly T[]> {
    this.#failed.check();
    try {
      return (await readTexts(executor, inSchema(text, this.#schema), values)).map(map);
    } catch (error) {
      this.#failed.note(error);
      throw error;
    }
  }
}
