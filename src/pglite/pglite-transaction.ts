/** A transaction of PGlite, without the types of its package, which need those of Node and Emscripten. */
export interface PGliteTransaction {
  query<T = Record<string, unknown>>(text: string, values?: unknown[]): Promise<{ readonly rows: T[] }>;
  exec(script: string): Promise<unknown>;
}
