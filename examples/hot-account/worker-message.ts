/** What the process of the worker tells the one that started it. */
export type WorkerMessage =
  | { readonly kind: 'ready' }
  /** How many commands were decided together, in each batch since the last message. */
  | { readonly kind: 'batches'; readonly sizes: readonly number[] };
