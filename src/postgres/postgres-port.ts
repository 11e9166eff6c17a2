import type { ClientBase, Pool, QueryArrayResult } from 'pg';
import { uuidV5 } from '../core/events/event-id.js';
import { sqlStateOf } from '../sql/sql-errors.js';
import { inSchema } from '../sql/schema-name.js';
import type { SqlRow, SqlScriptPort, SqlStatement, SqlValue, TransactionalSqlPort } from '../sql/sql-port.js';
import { encodeArray } from './binary-array.js';

export interface PostgresPortOptions {
  readonly schema: string;
  /** Milliseconds after which a statement without an answer, and its connection, are given up. */
  readonly operationTimeout: number;
  /** Whether the statements that are always the same are kept prepared by name. */
  readonly preparedStatements: boolean;
}

/** What a pooler in transaction mode answers: the name is known on another connection than the one it was given on. */
const unknownStatements: readonly (string | undefined)[] = ['26000', '42P05'];

/** Column values as the text that the server writes. */
const asText = { getTypeParser: () => (text: string) => text };

/** The statements of the store on a pool of `pg`, each in a transaction of its own. */
export class PostgresPort implements TransactionalSqlPort {
  readonly #pool: Pool;
  readonly #statements: PreparedStatements;

  constructor(pool: Pool, options: PostgresPortOptions) {
    this.#pool = pool;
    this.#statements = new PreparedStatements(options);
  }

  async query(statement: SqlStatement, values: readonly SqlValue[]): Promise<readonly SqlRow[]> {
    return this.#withClient((client) => this.#statements.run(client, statement, values));
  }

  async transaction<T>(run: (port: SqlScriptPort) => Promise<T>): Promise<T> {
    return this.#withClient(async (client) => {
      await client.query('begin');
      try {
        const result = await run({
          query: (statement, values) =>
            this.#statements.run(client, { ...statement, isConstant: false }, values),
          script: async (text) => {
            await client.query(inSchema(text, this.#statements.schema));
          },
        });
        await client.query('commit');
        return result;
      } catch (error) {
        // On a connection that is lost there is nothing to roll back, and the first error is the one to tell.
        await client.query('rollback').catch(() => undefined);
        throw error;
      }
    });
  }

  async #withClient<T>(run: (client: ClientBase) => Promise<T>): Promise<T> {
    const client = await this.#pool.connect();
    let failure: unknown;
    try {
      return await run(client);
    } catch (error) {
      failure = error;
      throw error;
    } finally {
      // A connection without an answer may still get one: nobody else may use it.
      client.release(failure !== undefined && sqlStateOf(failure) === undefined);
    }
  }
}

interface Prepared {
  readonly text: string;
  readonly name: string;
}

/** Runs statements on any client of `pg`, prepared by name where that works. */
export class PreparedStatements {
  readonly schema: string;
  readonly #operationTimeout: number;
  readonly #texts = new WeakMap<SqlStatement, Prepared>();
  #usesNames: boolean;

  constructor({ schema, operationTimeout, preparedStatements }: PostgresPortOptions) {
    this.schema = schema;
    this.#operationTimeout = operationTimeout;
    this.#usesNames = preparedStatements;
  }

  async run(
    client: ClientBase,
    statement: SqlStatement,
    values: readonly SqlValue[],
  ): Promise<readonly SqlRow[]> {
    const usesName = this.#usesNames && statement.isConstant;
    try {
      return await this.#query(client, statement, values, usesName);
    } catch (error) {
      // Refused before anything ran, so it can be sent again.
      if (!usesName || !unknownStatements.includes(sqlStateOf(error))) throw error;
      this.#usesNames = false;
      return this.#query(client, statement, values, false);
    }
  }

  async #query(
    client: ClientBase,
    statement: SqlStatement,
    values: readonly SqlValue[],
    usesName: boolean,
  ): Promise<readonly SqlRow[]> {
    const { text, name } = statement.isConstant
      ? this.#prepare(statement)
      : { text: inSchema(statement.text, this.schema), name: undefined };
    const result: QueryArrayResult<(string | null)[]> = await client.query({
      text,
      values: values.map((value) =>
        typeof value === 'object' && value !== null ? encodeArray(value) : value,
      ),
      rowMode: 'array',
      types: asText,
      ...(usesName && name !== undefined && { name }),
      query_timeout: this.#operationTimeout,
    } as { text: string; values: unknown[]; rowMode: 'array' });
    return result.rows;
  }

  #prepare(statement: SqlStatement): Prepared {
    let prepared = this.#texts.get(statement);
    if (prepared === undefined) {
      const text = inSchema(statement.text, this.schema);
      // By its content: behind a pooler, a name may be one that another store has given on the same connection.
      prepared = { text, name: `event_store_${uuidV5(text)}` };
      this.#texts.set(statement, prepared);
    }
    return prepared;
  }
}
