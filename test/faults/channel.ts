/** An error that nothing may throw, as a process tells it. */
export interface UnexpectedReport {
  readonly kind: 'unexpected';
  readonly error: string;
}

/** How a process of a run talks with the run. */
export interface Channel<Order, Report> {
  report(message: Report | UnexpectedReport): void;
  reportUnexpected(error: unknown): void;
  onOrder(listener: (order: Order) => void): void;
}

export function openChannel<Order, Report>(): Channel<Order, Report> {
  // No process outlives the run.
  process.on('disconnect', () => process.exit());
  const report: Channel<Order, Report>['report'] = (message) => void process.send?.(message);
  return {
    report,
    reportUnexpected(error) {
      report({
        kind: 'unexpected',
        error: error instanceof Error ? (error.stack ?? error.message) : String(error),
      });
    },
    onOrder: (listener) => void process.on('message', listener),
  };
}
