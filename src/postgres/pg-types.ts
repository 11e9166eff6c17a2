// The parts of `pg` in public signatures, written out: with its own types, each user's compiler would need `@types/pg`.

/** A connected client of `pg`: `pg.Client`, or the result of `pool.connect()`. */
export interface PgClient {
  query(text: string, values?: unknown[]): Promise<{ readonly rows: readonly unknown[] }>;
}

/** A pool of `pg`: `pg.Pool`. */
export interface PgPool {
  connect(): Promise<PgClient & { release(destroy?: boolean): void }>;
  readonly totalCount: number;
}
