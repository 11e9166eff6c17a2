import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { ServerMessage } from './temporal-server-process.js';

export interface TemporalServer {
  readonly address: string;
  readonly namespace: string;
  /** How the server was found, for a person. */
  readonly source: string;
  /** Ends the server if it was started here; leaves the one of `TEMPORAL_ADDRESS` alone. */
  stop(): Promise<void>;
}

/**
 * The server at `TEMPORAL_ADDRESS`, else a development server that ends with this process, however that ends: by the CLI at
 * `TEMPORAL_CLI_PATH`, else `temporal` on `PATH`, else the one that the SDK downloads, once.
 *
 * @throws Error with what to do when none can be started
 */
export async function startTemporalServer(): Promise<TemporalServer> {
  const namespace = process.env['TEMPORAL_NAMESPACE'] ?? 'default';
  const given = process.env['TEMPORAL_ADDRESS'];
  if (given) return { address: given, namespace, source: 'TEMPORAL_ADDRESS', stop: () => Promise.resolve() };

  const child = fork(fileURLToPath(new URL('./temporal-server-process.js', import.meta.url)), [namespace], {
    // Ctrl+C reaches only this process, which can so finish its work with the server before it stops it.
    detached: true,
    // The server would mix its log with what the example tells.
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  const exited = once(child, 'exit');
  const ended: Promise<ServerMessage> = exited.then(() => ({ problem: 'It ended before it was ready.' }));
  const answered = once(child, 'message').then(([message]) => message as ServerMessage);
  const message = await Promise.race([answered, ended]);
  if ('problem' in message) {
    throw new Error(
      `There is no Temporal server to work with: ${message.problem}\n` +
        'Start one with `temporal server start-dev` and set TEMPORAL_ADDRESS=localhost:7233, ' +
        'or set TEMPORAL_CLI_PATH to a Temporal CLI.',
    );
  }
  // An example that fails before it stops the server can end.
  child.unref();
  child.channel?.unref();
  return {
    ...message,
    namespace,
    async stop() {
      child.ref();
      child.disconnect();
      await exited;
    },
  };
}
