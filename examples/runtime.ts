import { DefaultLogger, Runtime, type LogLevel, type RuntimeOptions } from '@temporalio/worker';

/**
 * How the SDK of this process logs. What an example lets fail on purpose it tells by itself; the SDK would warn of it with a
 * stack.
 */
export function installRuntime(
  level: LogLevel = 'ERROR',
  options: Pick<RuntimeOptions, 'shutdownSignals'> = {},
): void {
  Runtime.install({
    ...options,
    logger: new DefaultLogger(level),
    // A projection that is stopped still completes its activity, of which the SDK's core warns.
    telemetryOptions: { logging: { filter: 'ERROR' } },
  });
}
