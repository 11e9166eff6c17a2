import { Context } from '@temporalio/activity';

/** Gives signs of life while something runs, so that another worker soon takes its place when this one dies. */
export async function heartbeating<T>(
  run: () => Promise<T>,
  /** What is told with each. */
  details: () => unknown = () => undefined,
): Promise<T> {
  const context = Context.current();
  const { heartbeatTimeoutMs } = context.info;
  // A local activity has none.
  if (heartbeatTimeoutMs === undefined) return run();
  const timer = setInterval(() => {
    context.heartbeat(details());
  }, heartbeatTimeoutMs / 4);
  try {
    return await run();
  } finally {
    clearInterval(timer);
  }
}
