import { Context } from '@temporalio/activity';

/** Sends heartbeats while a function runs, so that another worker soon takes over if this one dies. */
export async function heartbeating<T>(
  run: () => Promise<T>,
  /** The details sent with each heartbeat. */
  details: () => unknown = () => undefined,
): Promise<T> {
  const context = Context.current();
  const { heartbeatTimeoutMs } = context.info;
  // A local activity has no heartbeats.
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
