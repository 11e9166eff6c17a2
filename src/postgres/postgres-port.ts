import type { ClientBase, Pool } from 'pg';
import { uuidV5 } from '../core/events/event-id.js';
import { inSchema } from '../sql/schema-name.js';
import { sqlStateOf } from '../sql/sql-errors.js';
import type { SqlRow, SqlScriptPort, SqlStatement, SqlValue, TransactionalSqlPort } from '../sql/sql-port.js';
import { encodeValues } from './binary-array.js';
import { assertUtf8 } from './client-encoding.js';
import { queryRows } from './row-query.js';
import { withClient } from './with-client.js';

export interface PostgresPortOptions {
  /** Of connections that are the store's own; others are looked at, since their sessions may be told anything. */
  readonly connectionString: string | undefined;
  readonly schema: string;
  /** Milliseconds after which a statement without an answer, and its connection, are given up. */
  readonly operationTimeout: number;
  /** Whether the statements that are always the same are kept prepared by name. */
  readonly preparedStatements: boolean;
}

/**
 * What a pooler in transaction mode answers: the name is known on another connection than the one it was given on. And what
 * `pg` says where an instrumentation writes something new into each text.
 */
function isNameUnusable(error: unknown): boolean {
  return (
    ['26000', '42P05'].includes(sqlStateOf(error) as string) ||
    (error instanceof Error && error.message.startsWith('Prepared statements must be unique'))
  );
}

/** The statements of the store on a pool of `pg`, each in a transaction of its own. */
export class PostgresPort implements TransactionalSqlPort {
  readonly #pool: Pool;
  readonly #statements: PreparedStatements;

  constructor(pool: Pool, options: PostgresPortOptions) {
    this.#pool = pool;
    this.#statements = new PreparedStatements(options);
  }

  async query<T = SqlRow>(
    statement: SqlStatement,
    values: readonly SqlValue[],
    map?: (row: SqlRow) => T,
  ): Promise<readonly T[]> {
    return withClient(this.#pool, (client) => this.#statements.run(client, statement, values, map));
  }

  async transaction<T>(run: (port: SqlScriptPort) => Promise<T>): Promise<T> {
    return withClient(this.#pool, async (client) => {
      // What a statement waited for, the next one sees, whatever the default of the session is.
      await client.query('begin isolation level read committed');
      try {
        const result = await run({
          query: (statement, values, map) =>
            this.#statements.run(client, { ...statement, isConstant: false }, values, map),
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
}

interface Prepared {
  readonly text: string;
  readonly name: string;
}

/** Runs statements on any client of `pg`, prepared by name where that works. */
export class PreparedStatements {
  readonly schema: string;
  readonly #areOwn: boolean;
  readonly #operationTimeout: number;
  readonly #texts = new WeakMap<SqlStatement, Prepared>();
  #usesNames: boolean;

  constructor({ connectionString, schema, operationTimeout, preparedStatements }: PostgresPortOptions) {
    this.#areOwn = connectionString !== undefined;
    this.schema = schema;
    this.#operationTimeout = operationTimeout;
    this.#usesNames = preparedStatements;
  }

  async run<T = SqlRow>(
    client: ClientBase,
    statement: SqlStatement,
    values: readonly SqlValue[],
    map = (row: SqlRow) => row as T,
  ): Promise<readonly T[]> {
    if (!this.#areOwn) await assertUtf8(client);
    const usesName = this.#usesNames && statement.isConstant;
    try {
      return await this.#query(client, statement, values, usesName, map);
    } catch (error) {
      // Refused before anything ran, so it can be sent again.
      if (!usesName || !isNameUnusable(error)) throw error;
      this.#usesNames = false;
      return this.#query(client, statement, values, false, map);
    }
  }

  async #query<T>(
    client: ClientBase,
    statement: SqlStatement,
    values: readonly SqlValue[],
    usesName: boolean,
    map: (row: SqlRow) => T,
  ): Promise<readonly T[]> {
    const { text, name } = statement.isConstant
      ? this.#prepare(statement)
      : { text: inSchema(statement.text, this.schema), name: undefined };
    const config = {
      text,
      values: encodeValues(values),
      ...(usesName && name !== undefined && { name }),
    };
    return new Promise((resolve, reject) => {
      const rows: T[] = [];
      let failure: Error | undefined;
      const timer = setTimeout(() => {
        reject(new Error(`Query read timeout: no answer in ${this.#operationTimeout} ms`));
      }, this.#operationTimeout);
      const take = (row: SqlRow): void => {
        try {
          rows.push(map(row));
        } catch (error) {
          failure ??= error as Error;
        }
      };
      queryRows(client, config, take, (error) => {
        clearTimeout(timer);
        failure = error ?? failure;
        if (failure === undefined) resolve(rows);
        else reject(failure);
      });
    });
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
