import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { fillDatabase } from '../support/pglite.js';

const program = fileURLToPath(new URL('../support/pglite-full-disk-process.ts', import.meta.url));

test('a full disk is an error of the append that met it, and of all that follow', async () => {
  const parent = await mkdtemp(join(tmpdir(), 'pglite-'));
  onTestFinished(() => rm(parent, { recursive: true, force: true }));
  const folder = await fillDatabase(join(parent, 'events'));
  const tsconfig = fileURLToPath(new URL('../../tsconfig.build.json', import.meta.url));
  // Of 512 bytes each: 8 MB a file, which the log reaches first.
  const limited = 'ulimit -f 16384 && exec "$0" "$@"';
  const { stdout } = await promisify(execFile)(
    'sh',
    ['-c', limited, process.execPath, '--import', 'tsx', program],
    { env: { ...process.env, TSX_TSCONFIG_PATH: tsconfig, FOLDER: folder }, timeout: 50_000 },
  );

  const failed = String.raw`STORE_UNAVAILABLE: The embedded database has failed: could not write .*, and open it again`;
  const said = [
    'append: STORE_UNAVAILABLE: .*could not write .*',
    ...['next', 'read', 'transaction'].map((call) => `${call}: ${failed}.*`),
    'closed',
  ];
  expect(stdout.trim()).toMatch(new RegExp(`^${said.join('\\n')}$`));
});
