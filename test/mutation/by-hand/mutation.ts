/** A mistake that somebody could make. */
export interface Mutation {
  /** What is broken then. */
  readonly name: string;
  readonly file: string;
  /** Stands in the file exactly once. */
  readonly find: string;
  readonly replace: string;
  /** Whose tests should fail. */
  readonly project: 'temporal' | 'postgres' | 'unit';
  readonly tests: readonly string[];
  /** Of the names of the tests, as for `vitest -t`, where that is shorter. */
  readonly pattern?: string;
}
