// What the public functions ask of `pg`, written out: with its own types, each user's compiler would need `@types/pg`.

/** A client of `pg` that is connected: `pg.Client`, or what `pool.connect()` gives. */
export interface PgClient {
  query(text: string, values?: unknown[]): Promise<{ readonly rows: readonly unknown[] }>;
}

/** A pool of `pg`: `pg.Pool`. */
export interface PgPool {
  connect(): Promise<PgClient & { release(destroy?: boolean): void }>;
  readonly totalCount: number;
}
