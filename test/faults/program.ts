import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Order, Report } from './messages.js';

/** A process of the run, which may be killed and started again. */
export class Program {
  readonly name: string;
  readonly #file: string;
  readonly #env: Readonly<Record<string, string>>;
  readonly #onUnexpected: (error: string) => void;
  #child: ChildProcess | undefined;
  #ended: Promise<unknown> = Promise.resolve();
  #starts = 0;
  /** Of the processes before. */
  #before = { appends: 0, retries: 0 };
  #current = { appends: 0, retries: 0 };
  #isFinished = false;

  constructor(
    name: string,
    file: string,
    env: Readonly<Record<string, string>>,
    onUnexpected: (error: string) => void,
  ) {
    this.name = name;
    this.#file = fileURLToPath(new URL(file, import.meta.url));
    this.#env = env;
    this.#onUnexpected = onUnexpected;
  }

  get appends(): number {
    return this.#before.appends + this.#current.appends;
  }

  get retries(): number {
    return this.#before.retries + this.#current.retries;
  }

  /** Whether all appends that it began are settled. */
  get isFinished(): boolean {
    return this.#isFinished;
  }

  start(): void {
    this.#before = { appends: this.appends, retries: this.retries };
    this.#current = { appends: 0, retries: 0 };
    const child = fork(this.#file, {
      // The tsconfig without `paths`: it imports the built package.
      env: { ...process.env, ...this.#env, NAME: this.name, START: String(++this.#starts) },
    });
    child.on('message', (report: Report) => {
      if (report.kind === 'unexpected') this.#onUnexpected(`${this.name}: ${report.error}`);
      else if (report.kind === 'finished') this.#isFinished = true;
      else this.#current = report;
    });
    child.on('exit', (code, signal) => {
      if (child === this.#child && code !== 0)
        this.#onUnexpected(`${this.name} ended by ${signal ?? `code ${code ?? '?'}`}`);
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

  tell(order: Order): void {
    this.#child?.send(order);
  }

  async end(): Promise<void> {
    await this.#ended;
  }
}
