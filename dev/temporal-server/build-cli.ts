import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const HEARTBEAT = 15_000;

/** Builds the Temporal CLI from source into `target`; returns its path. */
export async function buildCli(
  version: string,
  target: string,
  log: (line: string) => void,
): Promise<string> {
  const module = `github.com/temporalio/cli/cmd/temporal@${version}`;
  log(`Building the Temporal CLI with \`go install ${module}\`: about 5 minutes, once …`);
  const started = Date.now();
  // -v prints the packages as they are compiled: signs of life for the heartbeat.
  const go = spawn('go', ['install', '-v', module], {
    env: { ...process.env, GOBIN: target },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const lines: string[] = [];
  createInterface(go.stderr).on('line', (line) => {
    lines.push(line);
    lines.splice(0, lines.length - 5);
  });
  const heartbeat = setInterval(() => {
    log(
      `  … ${Math.round((Date.now() - started) / 1000)} s: ${lines.at(-1) ?? 'go has not said anything yet'}`,
    );
  }, HEARTBEAT);
  try {
    const [code] = (await once(go, 'close')) as [number | null];
    if (code !== 0) throw new Error(`\`go install ${module}\` failed: ${lines.join(' | ')}`);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    throw new Error('`go` is not on PATH.', { cause: error });
  } finally {
    clearInterval(heartbeat);
  }
  log(`Built the Temporal CLI in ${Math.round((Date.now() - started) / 1000)} s.`);
  return join(target, process.platform === 'win32' ? 'temporal.exe' : 'temporal');
}
