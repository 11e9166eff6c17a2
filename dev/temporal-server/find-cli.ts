import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { cacheFolder } from '../cache-folder.js';
import { buildCli } from './build-cli.js';
import { downloadCli } from './download-cli.js';

const CLI_VERSION = 'v1.5.1';
const executable = process.platform === 'win32' ? 'temporal.exe' : 'temporal';

/** A Temporal CLI that runs on this machine: found, else downloaded, else built from source. */
export async function findTemporalCli(
  log: (line: string) => void,
): Promise<{ path: string; source: string }> {
  const configured = process.env['TEMPORAL_CLI_PATH'];
  if (configured) {
    await checkCli(configured).catch((error: unknown) => {
      throw new Error(
        `TEMPORAL_CLI_PATH is ${configured}, which is not a usable Temporal CLI: ${reason(error)}`,
      );
    });
    return { path: configured, source: `TEMPORAL_CLI_PATH (${configured})` };
  }
  if (await isUsable('temporal')) return { path: 'temporal', source: '`temporal` on PATH' };

  const folder = join(cacheFolder(), `temporal-cli-${CLI_VERSION}`);
  const cached = join(folder, executable);
  if (await isUsable(cached)) return { path: cached, source: `cached Temporal CLI (${cached})` };

  const failures: string[] = [];
  for (const [name, obtain] of [
    ['download', downloadCli],
    ['build', buildCli],
  ] as const) {
    try {
      await keep(folder, cached, (target) => obtain(CLI_VERSION, target, log));
      return { path: cached, source: `Temporal CLI ${CLI_VERSION} by ${name} (${cached})` };
    } catch (error) {
      failures.push(reason(error));
    }
  }
  throw new Error(
    [
      'There is no Temporal server to work with, and none could be set up. One of these four is needed:',
      '  1. TEMPORAL_ADDRESS=host:port of a running server: not set.',
      '  2. The Temporal CLI, as `temporal` on PATH or at TEMPORAL_CLI_PATH: neither was found.',
      `  3. The download by the Temporal SDK: ${failures[0] ?? ''}`,
      `  4. A build from source with Go: ${failures[1] ?? ''}`,
    ].join('\n'),
  );
}

async function checkCli(path: string): Promise<void> {
  const { stdout } = await promisify(execFile)(path, ['--version'], { timeout: 30_000 });
  if (!stdout.startsWith('temporal version')) {
    throw new Error(`--version says ${JSON.stringify(stdout.trim())}`);
  }
}

async function isUsable(path: string): Promise<boolean> {
  return checkCli(path).then(
    () => true,
    () => false,
  );
}

/**
 * The CLI is made in a folder of its own and renamed when whole, so that processes that do this at the same
 * time don't see each other's half.
 */
async function keep(
  folder: string,
  cached: string,
  obtain: (target: string) => Promise<string>,
): Promise<void> {
  await mkdir(folder, { recursive: true });
  const target = await mkdtemp(join(folder, 'new-'));
  try {
    const made = await obtain(target);
    await checkCli(made);
    await rename(made, cached);
  } finally {
    await rm(target, { recursive: true, force: true });
  }
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
