import { InvalidArgumentError } from '../../core/errors/invalid-argument-error.js';
import { StoreUnavailableError } from '../../core/errors/store-errors.js';
import { causeOf, isRetryableSqlError, messageOf } from '../sql-errors.js';
import type { SqlRow } from '../sql-port.js';
import * as statements from './reader-statements.js';
import type { SinkDatabase, SqlClient } from './sink-database.js';
import { readSearchPath, useSearchPath } from './statements.js';

/** A plain view in another schema. */
interface OutsideView {
  readonly name: string;
  readonly query: string;
  readonly options: string;
}

/** The views and grants that readers have on the read models, and must keep after a rebuild. */
export class Readers<Client extends SqlClient> {
  readonly #database: SinkDatabase<Client>;

  constructor(database: SinkDatabase<Client>) {
    this.#database = database;
  }

  /**
   * Checks that another build can take the place of the live one.
   *
   * @returns the views in other schemas that depend on the live one
   * @throws InvalidArgumentError when another object depends on it
   */
  async assertReplaceable(client: Client, schema: string): Promise<readonly OutsideView[]> {
    return this.#withPlainNames(client, async () => {
      const outsiders = await this.#outsiders(client, schema);
      const others = outsiders.filter(([, view]) => view === null).map(([what]) => what);
      if (others.length > 0) throw hangsOn(schema, others, 'would stay with the read model that is replaced');
      return outsiders.map(([, name, query, options]) => ({ name, query, options }) as OutsideView);
    });
  }

  /** @throws InvalidArgumentError when an object outside the schema would be dropped with it */
  async assertDroppable(client: Client, schema: string): Promise<void> {
    await this.#withPlainNames(client, async () => {
      const [lock] = await this.#database.query(client, statements.lockTables, [schema]);
      if (lock !== undefined) await client.query(lock[0] as string);
      const outsiders = await this.#outsiders(client, schema);
      if (outsiders.length === 0) return;
      throw hangsOn(
        schema,
        outsiders.map(([what]) => what),
        'would be dropped with it',
      );
    });
  }

  /**
   * Gives a build the owners and grants of the live one.
   *
   * @param live the schema of the live build
   * @param isUsed whether the build was live before: its grants from then don't count
   */
  async carryGrants(client: Client, live: string, next: string, isUsed: boolean): Promise<void> {
    await this.#withPlainNames(client, async () => {
      const rows = await this.#database.query(client, statements.carryOver, [live, next, String(isUsed)]);
      for (const [text] of rows) await this.#carry(client, live, text as string);
    });
  }

  /** Recreates views, on the relations that have their tables' names now. */
  async carryViews(client: Client, live: string, views: readonly OutsideView[]): Promise<void> {
    await this.#withPlainNames(client, async () => {
      for (const { name, query, options } of views) {
        const settings = options === null ? '' : ` with (${options})`;
        await this.#carry(client, live, `create or replace view ${name}${settings} as ${query}`);
      }
    });
  }

  async #carry(client: Client, live: string, statement: string): Promise<void> {
    try {
      await client.query(statement);
    } catch (error) {
      if (isRetryableSqlError(error)) {
        throw new StoreUnavailableError(
          `The rebuilt '${live}' can't take the place of the live one just now: ${messageOf(error)}, at ${excerpt(statement)}. Somebody may read that in a long transaction.`,
          { commitId: undefined, cause: causeOf(error) },
        );
      }
      throw new InvalidArgumentError(
        `The rebuilt '${live}' can't take the place of the live one without taking something from its readers: ${messageOf(error)}, ` +
          `at ${excerpt(statement)}. Let the role of the sink do it, or drop what it is about and make it again after the switch.`,
        { cause: causeOf(error) },
      );
    }
  }

  #outsiders(client: Client, schema: string): Promise<readonly SqlRow[]> {
    return this.#database.query(client, statements.outsiders, [schema]);
  }

  async #withPlainNames<T>(client: Client, run: () => Promise<T>): Promise<T> {
    const [before] = await this.#database.query(client, readSearchPath, []);
    await this.#database.query(client, useSearchPath, ['pg_catalog, pg_temp']);
    const result = await run();
    await this.#database.query(client, useSearchPath, [before?.[0] ?? '']);
    return result;
  }
}

function excerpt(statement: string): string {
  return statement.replaceAll(/\s+/g, ' ').slice(0, 300);
}

function hangsOn(schema: string, what: readonly unknown[], why: string): InvalidArgumentError {
  return new InvalidArgumentError(
    `Outside of the schema '${schema}' there hangs on it, and ${why}: ${what.join('; ')}. Drop that before, and make it again upon the live read model after.`,
  );
}
