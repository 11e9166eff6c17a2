import { existsSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import { TestWorkflowEnvironment } from '@temporalio/testing';

/** What the process of the server says once. */
export type ServerMessage =
  { readonly address: string; readonly source: string } | { readonly problem: string };

// In a process of its own, started by temporal-server.ts: it ends with the other one, even if that is killed.
const namespace = process.argv[2] ?? 'default';
const path = findCli();
try {
  const environment = await TestWorkflowEnvironment.createLocal({
    server: { namespace, ...(path !== undefined && { executable: { type: 'existing-path', path } }) },
  });
  process.once('disconnect', () => void environment.teardown().finally(() => process.exit()));
  tell({ address: environment.address, source: path ?? 'downloaded by the SDK' });
} catch (error) {
  tell({ problem: error instanceof Error ? error.message : String(error) });
  process.disconnect();
}

/** The CLI at `TEMPORAL_CLI_PATH`, else `temporal` on `PATH`. */
function findCli(): string | undefined {
  const configured = process.env['TEMPORAL_CLI_PATH'];
  if (configured) return resolve(configured);
  const name = process.platform === 'win32' ? 'temporal.exe' : 'temporal';
  const folders = process.env['PATH']?.split(delimiter) ?? [];
  return folders.map((folder) => join(folder, name)).find((file) => existsSync(file));
}

function tell(message: ServerMessage): void {
  process.send?.(message);
}
