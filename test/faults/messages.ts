/** What the fault run tells its writers and readers, which are processes of their own. */
export type Order =
  /** Hold all connections of the pool for so many milliseconds. */
  | { readonly kind: 'exhaustPool'; readonly milliseconds: number }
  /** Begin no more appends. */
  | { readonly kind: 'finish' };

/** What they tell the fault run. */
export type Report =
  | { readonly kind: 'progress'; readonly appends: number; readonly retries: number }
  /** All appends that began are settled. */
  | { readonly kind: 'finished' };
