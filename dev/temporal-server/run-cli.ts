import { freePort } from '../free-port.js';
import { supervise } from '../supervise.js';
import { connect } from './connect.js';

export interface CliOptions {
  /** Default: one that is free. */
  readonly port?: number;
  /** Where it keeps what it knows, so that it can be started again. Default: in memory. */
  readonly databaseFile?: string;
  /** Where it tells Prometheus of its metrics. Default: nowhere. */
  readonly metricsPort?: number;
  /** Default: `SIGTERM`. */
  readonly stopSignal?: NodeJS.Signals;
}

/** Starts a development server and waits until it answers. */
export async function runTemporalCli(
  cli: string,
  namespace: string,
  options: CliOptions = {},
): Promise<{ address: string; stop(): Promise<void> }> {
  const { port = await freePort(), databaseFile, metricsPort, stopSignal } = options;
  const address = `127.0.0.1:${port}`;
  // prettier-ignore
  const args = [
    'server', 'start-dev', '--headless', '--ip', '127.0.0.1', '--port', String(port),
    '--namespace', namespace, '--log-level', 'error',
    ...(databaseFile === undefined ? [] : ['--db-filename', databaseFile]),
    ...(metricsPort === undefined ? [] : ['--metrics-port', String(metricsPort)]),
  ];
  const server = await supervise({
    name: 'Temporal server',
    command: cli,
    args,
    answers: () => connect(address, namespace, 500),
    ...(stopSignal !== undefined && { stopSignal }),
  });
  return { address, stop: () => server.stop() };
}
