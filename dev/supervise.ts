import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { Writable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const supervisor = fileURLToPath(new URL('./supervisor.mjs', import.meta.url));
const START_TIMEOUT = 60_000;

export interface ServerCommand {
  /** What the command becomes, for a person. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** Rejects until the server answers. */
  readonly answers: () => Promise<unknown>;
  readonly cwd?: string;
  readonly uid?: number;
  readonly gid?: number;
  /** `SIGTERM` by default. */
  readonly stopSignal?: NodeJS.Signals;
  /** A folder that goes with the server. */
  readonly removes?: string;
  /** Where standard error goes if there may be much of it: a full pipe would stop the server. */
  readonly logFile?: string;
}

export interface Supervised {
  /** Fulfilled when the server has ended, however. */
  readonly ended: Promise<void>;
  stop(): Promise<void>;
}

/** Starts a server and waits until it answers. It does not outlive this process, however that ends. */
export async function supervise(server: ServerCommand): Promise<Supervised> {
  const { name, answers, logFile, ...command } = server;
  const log = logFile === undefined ? 'pipe' : openSync(logFile, 'a');
  const child = spawn(process.execPath, [supervisor, JSON.stringify(command)], {
    stdio: ['pipe', 'ignore', log],
    // Ctrl+C reaches only this process, which can so finish its work with the server before it stops it.
    detached: true,
  });
  if (typeof log === 'number') closeSync(log);
  const stdin = child.stdin as Writable;
  const stderr = child.stderr;
  let errors = '';
  stderr?.setEncoding('utf8').on('data', (text: string) => (errors = (errors + text).slice(-2_000)));
  const exited = once(child, 'exit');
  const stop = async () => {
    child.ref();
    stdin.end();
    await exited;
  };

  const deadline = Date.now() + START_TIMEOUT;
  while (
    !(await answers().then(
      () => true,
      () => false,
    ))
  ) {
    if (child.exitCode !== null || Date.now() > deadline) {
      if (logFile !== undefined) errors = (await readFile(logFile, 'utf8')).slice(-2_000);
      await stop();
      throw new Error(
        `\`${[server.command, ...server.args].join(' ')}\` did not become a ${name}: ${errors.trim()}`,
      );
    }
    await delay(25);
  }
  // A script that forgets `stop`, or fails before it, can end.
  child.unref();
  for (const stream of [stdin, stderr]) (stream as unknown as { unref(): void } | null)?.unref();
  return { ended: exited.then(() => undefined), stop };
}
