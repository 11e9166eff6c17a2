import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const script = fileURLToPath(new URL('./download-cli-process.mjs', import.meta.url));

/** The download of the SDK, into `target`; returns the path of the CLI. Fails at once without a network. */
export async function downloadCli(
  version: string,
  target: string,
  log: (line: string) => void,
): Promise<string> {
  log(`No Temporal CLI found; trying the SDK's download of Temporal CLI ${version} …`);
  await promisify(execFile)(process.execPath, [script, version, target], { timeout: 300_000 }).catch(
    (error: unknown) => {
      const { stderr, message } = error as Error & { stderr: string };
      throw new Error(stderr === '' ? message : stderr.trim(), { cause: error });
    },
  );
  const [file] = await readdir(target);
  if (file === undefined) throw new Error('the SDK left no file in its download folder.');
  return join(target, file);
}
