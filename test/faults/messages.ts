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
  | { readonly kind: 'finished' }
  /** An error that the store must not throw. */
  | { readonly kind: 'unexpected'; readonly error: string };

export function report(message: Report): void {
  process.send?.(message);
}

export function reportUnexpected(error: unknown): void {
  report({
    kind: 'unexpected',
    error: error instanceof Error ? (error.stack ?? error.message) : String(error),
  });
}

export function onOrder(listener: (order: Order) => void): void {
  process.on('message', listener);
}

// No process outlives the run.
process.on('disconnect', () => process.exit());
