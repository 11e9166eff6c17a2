/**
 * The library's advisory locks, by their first key. All are of one transaction. The SQL of the migrations has the same numbers, which a test
 * compares.
 */
export const advisoryLocks = {
  /** Shared by appends under way, with the schema as the second key; a reader in order asks who holds it. */
  append: 1_163_152_724,
  /** Held while a schema is migrated. */
  migrate: 1_163_152_725,
  /** Held while the tables of projections are made. */
  setUpProjections: 1_163_152_726,
  /** Held while builds of a projection change, with the hash of its name as the second key. */
  projection: 1_163_152_727,
} as const;
