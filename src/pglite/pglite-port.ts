import { types, type PGlite, type Transaction } from '@electric-sql/pglite';
import { inSchema } from '../sql/schema-name.js';
import type { SqlRow, SqlScriptPort, SqlStatement, SqlValue, TransactionalSqlPort } from '../sql/sql-port.js';

/** Column values as the text that the server writes, instead of JavaScript's types: of all that the statements give. */
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

/** The statements of the store on PGlite, which has one connection and runs one after the other. */
export class PGlitePort implements TransactionalSqlPort {
  readonly #database: PGlite;
  readonly #schema: string;

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

  async transaction<T>(run: (port: SqlScriptPort) => Promise<T>): Promise<T> {
    return this.#database.transaction((transaction) =>
      run({
        query: (statement, values, map) => this.#query(transaction, statement, values, map),
        script: async (text) => {
          await transaction.exec(inSchema(text, this.#schema));
        },
      }),
    );
  }

  async #query<T = SqlRow>(
    executor: PGlite | Transaction,
    { text }: SqlStatement,
    values: readonly SqlValue[],
    map = (row: SqlRow) => row as T,
  ): Promise<readonly T[]> {
    return (await readTexts(executor, inSchema(text, this.#schema), values)).map(map);
  }
}
