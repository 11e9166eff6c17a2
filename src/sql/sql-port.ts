/** What the SQL of this folder needs of a driver. */
export interface SqlPort {
  /**
   * Runs one statement, in a transaction of its own where none is open, and gives its rows.
   *
   * @param map what is given instead of a row; called as they arrive, while the server makes those that follow
   * @throws whatever the driver throws; `translateSqlError` makes a typed error of it
   */
  query<T = SqlRow>(
    statement: SqlStatement,
    values: readonly SqlValue[],
    map?: (row: SqlRow) => T,
  ): Promise<readonly T[]>;
}

/** A port that also runs several statements as one transaction on one connection. */
export interface TransactionalSqlPort extends SqlPort {
  transaction<T>(run: (port: SqlScriptPort) => Promise<T>): Promise<T>;
}

export interface SqlScriptPort extends SqlPort {
  /** Runs any number of statements, which take no values. */
  script(text: string): Promise<void>;
}

export interface SqlStatement {
  /** With `__schema__` where the quoted name of the store's schema belongs. */
  readonly text: string;
  /** True where the text is one of a few, so that a driver may keep it prepared. */
  readonly isConstant: boolean;
}

/** A row as PostgreSQL writes it: text, column by column. */
export type SqlRow = readonly (string | null)[];

export type SqlValue = string | number | boolean | null | SqlArray;

export interface SqlArray {
  readonly type: SqlArrayType;
  readonly values: readonly (string | number | null)[];
}

export type SqlArrayType = 'text' | 'uuid' | 'json' | 'integer' | 'bigint';

export function statement(text: string): SqlStatement {
  return { text, isConstant: true };
}

export function arrayOf(type: SqlArrayType, values: readonly (string | number | null)[]): SqlArray {
  return { type, values };
}
