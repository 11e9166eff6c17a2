import type { Order, Report } from './messages.js';
import { Program } from './program.js';

/** A process of writers, and how far they are. */
export class WriterProgram extends Program<Order, Report> {
  /** Of the processes before. */
  #before = { appends: 0, retries: 0 };
  #current = { appends: 0, retries: 0 };
  #isFinished = false;

  constructor(name: string, env: Readonly<Record<string, string>>, onUnexpected: (error: string) => void) {
    super({
      name,
      file: new URL('./writer-process.ts', import.meta.url),
      env,
      onReport: (report) => {
        if (report.kind === 'finished') this.#isFinished = true;
        else this.#current = report;
      },
      onUnexpected,
    });
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

  override start(): void {
    this.#before = { appends: this.appends, retries: this.retries };
    this.#current = { appends: 0, retries: 0 };
    super.start();
  }
}
