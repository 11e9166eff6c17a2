/**
 * The library's advisory locks, by their first key. A transaction holds each until it ends. The SQL of the migrations
 * repeats the numbers; a test compares them.
 */
export const advisoryLocks = {
  /** Shared by appends under way, with the schema as the second key; readers in order look for its holders. */
  append: 1_163_152_724,
  /** Held while a schema is migrated. */
  migrate: 1_163_152_725,
  /** Held while the tables of projections are created. */
  setUpProjections: 1_163_152_726,
  /** Held while builds of a projection change, with the hash of its name as the second key. */
  projection: 1_163_152_727,
} as const;
