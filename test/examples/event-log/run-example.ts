import { dirname } from 'node:path';
import { inject } from 'vitest';
import { temporaryFile } from '../../support/temporary-file.js';
import { runScript, type ScriptResult } from '../script.js';

export const main = new URL('../../../examples/dist/event-log/main.js', import.meta.url);

/** A folder for a store, until the end of the test. */
export async function storeFolder(): Promise<string> {
  return `${dirname(await temporaryFile('beside', ''))}/store`;
}

/** Runs the example on PGlite, in this folder. */
export async function runExample(dataDir: string, ...args: string[]): Promise<ScriptResult> {
  const { address, namespace } = inject('temporal');
  return runScript(main, args, {
    env: {
      POSTGRES_URL: '',
      EVENT_LOG_STORE: dataDir,
      TEMPORAL_ADDRESS: address,
      TEMPORAL_NAMESPACE: namespace,
      INIT_CWD: process.cwd(),
    },
  });
}
