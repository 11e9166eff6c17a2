import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { UnexpectedReport } from './channel.js';

export interface ProgramOptions<Report> {
  readonly name: string;
  readonly file: URL;
  readonly env: Readonly<Record<string, string>>;
  readonly onReport: (report: Report) => void;
  /** Called with an error that nothing may throw. */
  readonly onUnexpected: (error: string) => void;
  /** Called when it has ended otherwise than in order or by {@link Program.kill}. Default: that is unexpected. */
  readonly onDeath?: (how: string) => void;
  /** Where its output goes. Default: where that of the run does. */
  readonly logFile?: string;
}

/** A process of the run, which may be killed and started again. */
export class Program<Order extends object, Report extends object> {
  readonly name: string;
  readonly #options: ProgramOptions<Report>;
  #child: ChildProcess | undefined;
  #ended: Promise<unknown> = Promise.resolve();
  #starts = 0;

  constructor(options: ProgramOptions<Report>) {
    this.name = options.name;
    this.#options = options;
  }

  start(): void {
    const { name, file, env, onReport, onUnexpected, onDeath, logFile } = this.#options;
    const output = logFile === undefined ? 'inherit' : openSync(logFile, 'a');
    const child = fork(fileURLToPath(file), {
      // The tsconfig without `paths`: it imports the built package.
      env: { ...process.env, ...env, NAME: name, START: String(++this.#starts) },
      stdio: ['ignore', output, output, 'ipc'],
    });
    if (typeof output === 'number') closeSync(output);
    child.on('message', (report: Report | UnexpectedReport) => {
      if (isUnexpected(report)) onUnexpected(`${name}: ${report.error}`);
      else onReport(report);
    });
    child.on('exit', (code, signal) => {
      if (child !== this.#child || code === 0) return;
      const how = signal ?? `code ${code ?? '?'}`;
      if (onDeath === undefined) onUnexpected(`${name} ended by ${how}`);
      else onDeath(how);
    });
    this.#ended = once(child, 'exit');
    this.#child = child;
  }

  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    child?.kill('SIGKILL');
    await this.#ended;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  signal(signal: NodeJS.Signals): void {
    this.#child?.kill(signal);
  }

  tell(order: Order): void {
    // One that has just died needs no orders.
    this.#child?.send(order, () => undefined);
  }

  async end(): Promise<void> {
    await this.#ended;
  }
}

function isUnexpected(report: object): report is UnexpectedReport {
  return 'kind' in report && report.kind === 'unexpected';
}
