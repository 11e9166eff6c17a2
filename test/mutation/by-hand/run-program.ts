import { spawn, type ChildProcess } from 'node:child_process';

export interface ProgramEnd {
  /** Null when it was killed. */
  readonly code: number | null;
  readonly isTimedOut: boolean;
  readonly output: string;
}

const running = new Set<ChildProcess>();

/** Runs a program to its end, or for as long as it may. Its children end with it. */
export function runProgram(
  command: string,
  args: readonly string[],
  { cwd, timeout }: { readonly cwd: string; readonly timeout: number },
): Promise<ProgramEnd> {
  return new Promise((resolve, reject) => {
    // In a group of its own, so that all of it can be ended.
    const child = spawn(command, args, { cwd, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
    running.add(child);
    let output = '';
    let isTimedOut = false;
    const timer = setTimeout(() => {
      isTimedOut = true;
      kill(child);
    }, timeout);
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text;
      });
    }
    child.on('error', reject);
    child.on('exit', (code) => {
      clearTimeout(timer);
      running.delete(child);
      resolve({ code, isTimedOut, output });
    });
  });
}

export function killAll(): void {
  for (const child of running) kill(child);
}

function kill({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It has just ended.
  }
}
