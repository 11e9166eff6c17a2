import type { ClientBase, Pool } from 'pg';
import { uuidV5 } from '../core/events/event-id.js';
import { inSchema } from '../sql/schema-name.js';
import { sqlStateOf } from '../sql/sql-errors.js';
import type { SqlRow, SqlScriptPort, SqlStatement, SqlValue, TransactionalSqlPort } from '../sql/sql-port.js';
import { encodeValues } from './binary-array.js';
import { assertUtf8 } from './client-encoding.js';
import { poolTimeoutOf } from './connection.js';
import { NoAnswerError } from './no-answer.js';
import { cutOff } from './pg-internals.js';
import { PoolConnections } from './pool-connections.js';
import { queryRows } from './row-query.js';

export interface PostgresPortOptions {
  /** Set for the store's own connections. Others are checked, since their sessions may have any setting. */
  readonly connectionString: string | undefined;
  readonly schema: string;
  /** Milliseconds after which a statement without an answer, and its connection, are given up. */
  readonly operationTimeout: number;
  /** Whether constant statements are kept prepared by name. */
  readonly preparedStatements: boolean;
}

/**
 * Whether a pooler in transaction mode refused the name, which another connection was given; or `pg` did, since an
 * instrumentation writes something new into each text.
 */
function isNameUnusable(error: unknown): boolean {
  return (
    /^(26000|42P05)$/.test(sqlStateOf(error) ?? '') ||
    (error instanceof Error && error.message.startsWith('Prepared statements must be unique'))
  );
}

/** Milliseconds for the statements of a migration, which may have much to do. */
const scriptTimeout = 10 * 60_000;

/** The statements of the store on a pool of `pg`, each in a transaction of its own. */
export class PostgresPort implements TransactionalSqlPort {
  readonly #connections: PoolConnections;
  readonly #poolTimeout: number;
  readonly #statements: PreparedStatements;

  constructor(pool: Pool, options: PostgresPortOptions) {
    this.#connections = PoolConnections.of(pool);
    this.#poolTimeout = poolTimeoutOf(options);
    this.#statements = new PreparedStatements(options);
  }

  async query<T = SqlRow>(
    statement: SqlStatement,
    values: readonly SqlValue[],
    map?: (row: SqlRow) => T,
  ): Promise<readonly T[]> {
    return this.#connections.use(this.#poolTimeout, (client) =>
      this.#statements.run(client, statement, values, map),
    );
  }

  async transaction<T>(run: (port: SqlScriptPort) => Promise<T>): Promise<T> {
    return this.#connections.use(this.#poolTimeout, async (client) => {
      const script = (text: string, timeout?: number): Promise<unknown> =>
        this.#statements.run(client, { text, isConstant: false }, [], undefined, timeout);
      // Whatever the session's default is, a statement must see the commits that the one before it waited for.
      await script('begin isolation level read committed');
      try {
        const result = await run({
          query: (statement, values, map) =>
            this.#statements.run(client, { ...statement, isConstant: false }, values, map),
          script: async (text) => {
            await script(text, scriptTimeout);
          },
        });
        await script('commit');
        return result;
      } catch (error) {
        // On a lost connection there is nothing to roll back, and the first error is the one to report.
        await script('rollback').catch(() => {
          cutOff(client);
        });
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
    timeout = this.#operationTimeout,
  ): Promise<readonly T[]> {
    if (!this.#areOwn) await assertUtf8(client, timeout);
    const usesName = this.#usesNames && statement.isConstant;
    try {
      return await this.#query(client, statement, values, usesName, map, timeout);
    } catch (error) {
      // The server refused it before it ran, so it can be sent again.
      if (!usesName || !isNameUnusable(error)) throw error;
      this.#usesNames = false;
      return this.#query(client, statement, values, false, map, timeout);
    }
  }

  async #query<T>(
    client: ClientBase,
    statement: SqlStatement,
    values: readonly SqlValue[],
    usesName: boolean,
    map: (row: SqlRow) => T,
    timeout: number,
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
        reject(new NoAnswerError(timeout));
      }, timeout);
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
      // Named by its content: behind a pooler, another store may have given a name on the same connection.
      prepared = { text, name: `event_store_${uuidV5(text)}` };
      this.#texts.set(statement, prepared);
    }
    return prepared;
  }
}
