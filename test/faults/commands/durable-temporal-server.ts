import { join } from 'node:path';
import { freePort } from '../../../dev/free-port.js';
import { findTemporalCli } from '../../../dev/temporal-server/find-cli.js';
import { runTemporalCli } from '../../../dev/temporal-server/run-cli.js';

/** A Temporal server that can be killed and started again: it keeps its address and all that it knows. */
export interface DurableTemporalServer {
  readonly address: string;
  start(): Promise<void>;
  /** By SIGKILL. */
  kill(): Promise<void>;
}

/** Not started yet. */
export async function createTemporalServer(
  folder: string,
  log: (line: string) => void,
): Promise<DurableTemporalServer> {
  const cli = await findTemporalCli(log);
  const port = await freePort();
  let server: { stop(): Promise<void> } | undefined;
  return {
    address: `127.0.0.1:${port}`,
    async start() {
      server = await runTemporalCli(cli.path, 'default', {
        port,
        databaseFile: join(folder, 'temporal.sqlite'),
        stopSignal: 'SIGKILL',
      });
    },
    async kill() {
      await server?.stop();
    },
  };
}
