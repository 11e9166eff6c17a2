/** A transaction of PGlite, without its package's types, which need those of Node and Emscripten. */
export interface PGliteTransaction {
  // eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- says what rows are expected, as in PGlite
  query<T = Record<string, unknown>>(text: string, values?: unknown[]): Promise<{ readonly rows: T[] }>;
  exec(script: string): Promise<unknown>;
}
