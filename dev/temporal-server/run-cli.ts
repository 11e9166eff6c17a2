import { freePort } from '../free-port.js';
import { supervise } from '../supervise.js';
import { connect } from './connect.js';

/** Starts an in-memory development server on a free port and waits until it answers. */
export async function runTemporalCli(
  cli: string,
  namespace: string,
): Promise<{ address: string; stop(): Promise<void> }> {
  const port = await freePort();
  const address = `127.0.0.1:${port}`;
  // prettier-ignore
  const args = [
    'server', 'start-dev', '--headless', '--ip', '127.0.0.1', '--port', String(port),
    '--namespace', namespace, '--log-level', 'error',
  ];
  const server = await supervise({
    name: 'Temporal server',
    command: cli,
    args,
    answers: () => connect(address, namespace, 500),
  });
  return { address, stop: () => server.stop() };
}
