import { connect } from './temporal-server/connect.js';
import { findTemporalCli } from './temporal-server/find-cli.js';
import { runTemporalCli } from './temporal-server/run-cli.js';

export interface TemporalServer {
  readonly address: string;
  readonly namespace: string;
  /** How the server was found, for a person. */
  readonly source: string;
  /** Ends the server if it was started here; leaves the one of `TEMPORAL_ADDRESS` alone. */
  stop(): Promise<void>;
}

/**
 * A Temporal server for tests and examples: the one at `TEMPORAL_ADDRESS`, or one that is started with a
 * Temporal CLI that is found, downloaded or built. It does not outlive this process, however that ends.
 */
export async function startTemporalServer(
  options: { log?: (line: string) => void } = {},
): Promise<TemporalServer> {
  const log = options.log ?? ((line: string) => void process.stderr.write(`${line}\n`));
  const namespace = process.env['TEMPORAL_NAMESPACE'] ?? 'default';

  const address = process.env['TEMPORAL_ADDRESS'];
  if (address) {
    await connect(address, namespace, 10_000).catch((error: unknown) => {
      throw new Error(
        `TEMPORAL_ADDRESS is ${address}, but namespace "${namespace}" can't be reached there: ${String(error)}`,
      );
    });
    return { address, namespace, source: `TEMPORAL_ADDRESS (${address})`, stop: () => Promise.resolve() };
  }

  const cli = await findTemporalCli(log);
  return { ...(await runTemporalCli(cli.path, namespace)), namespace, source: cli.source };
}
