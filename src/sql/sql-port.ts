/** The part of a driver that the SQL of this folder needs. */
export interface SqlPort {
  /**
   * Runs one statement, in a transaction of its own if none is open, and returns its rows.
   *
   * @param map replaces a row; called as each row arrives, while the server produces the next ones
   * @throws the driver's errors; `translateSqlError` makes typed errors of them
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
  /** Runs any number of statements without values. */
  script(text: string): Promise<void>;
}

export interface SqlStatement {
  /** With `__schema__` where the quoted name of the store's schema belongs. */
  readonly text: string;
  /** Whether the text is one of a few, so that a driver may keep it prepared. */
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
