/**
 * The library's advisory locks, by their first key. A transaction holds each until it ends. The SQL of the migrations
 * repeats the numbers; a test compares them.
 */
export const advisoryLocks = {
  /**
   * Shared by appends under way, with the schema as the second key; readers in order look for its holders. Exclusive for
   * a condition without tags.
   */
  append: 1_163_152_724,
  /** Held while a schema is migrated. */
  migrate: 1_163_152_725,
  /** Held while the tables of projections are created. */
  setUpProjections: 1_163_152_726,
  /** Held while builds of a projection change, with the hash of its name as the second key. */
  projection: 1_163_152_727,
  /**
   * Shared by appends under a condition, exclusive for one of more tags than are locked one by one; with the schema as the
   * second key.
   */
  manyTags: 1_163_152_728,
} as const;
