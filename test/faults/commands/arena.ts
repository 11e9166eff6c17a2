import type { Cluster } from '../../../dev/postgres-server/cluster.js';
import { startTcpProxy, type TcpProxy } from '../../support/tcp-proxy.js';
import { Program } from '../program.js';
import { waitUntil } from '../wait.js';
import type { WalletCommand } from './commands.js';
import type { DurableTemporalServer } from './durable-temporal-server.js';
import type {
  CallerOrder,
  CallerReport,
  DeathOrder,
  ForeignOrder,
  ForeignReport,
  WorkerOrder,
  WorkerReport,
} from './messages.js';
import { Tally } from './tally.js';
import type { Omission } from './worker-store.js';

export interface ArenaOptions {
  readonly cluster: Cluster;
  readonly temporal: DurableTemporalServer;
  /** Of a migrated database. */
  readonly url: string;
  readonly taskQueue: string;
  readonly workflowBundle: string;
  /** For the journals. */
  readonly folder: string;
  readonly logFile: string;
  /** What the store of the worker does without. */
  readonly omission?: Omission;
}

/** Half of all who are repeated are sent again while they are on their way, the others when they have an answer. */
const repeats = 10;
/** One of so many answers is followed by an append of the foreign writer to the same wallet. */
const foreignEvery = 5;
/** Processes that send at once in one of the faults. */
const crowd = 20;

/** The processes of one run, with the network between worker and database. */
export class Arena {
  readonly cluster: Cluster;
  readonly temporal: DurableTemporalServer;
  readonly proxy: TcpProxy;
  readonly tally = new Tally();
  readonly #callers: readonly Program<CallerOrder, CallerReport>[];
  /** Sends again what others send, by lanes of its own. */
  readonly #repeater: Program<CallerOrder, CallerReport>;
  readonly #foreignWriter: Program<ForeignOrder, ForeignReport>;
  readonly #worker: Program<WorkerOrder, WorkerReport>;
  /** Of the release before, beside the other where a fault wants it. */
  readonly #oldWorker: Program<WorkerOrder, WorkerReport>;
  /** Many, with few callers each. */
  readonly #crowd: readonly Program<CallerOrder, CallerReport>[];
  #isOldWorkerReady = false;
  /** Commands of the callers that wait for an answer, by id; and what was sent again. */
  readonly #open = new Map<string, { readonly command: WalletCommand; readonly caller: number }>();
  readonly #openAgain = new Map<string, WalletCommand>();
  readonly #unknown = new Map<string, WalletCommand>();
  #foreignOrders = 0;
  #isWorkerReady = false;
  #isEnding = false;
  #lastProgressAt = 0;

  static async open(options: ArenaOptions): Promise<Arena> {
    return new Arena(options, await startTcpProxy(options.url));
  }

  private constructor(options: ArenaOptions, proxy: TcpProxy) {
    const { cluster, temporal, url, taskQueue, workflowBundle, folder, logFile, omission } = options;
    this.cluster = cluster;
    this.temporal = temporal;
    this.proxy = proxy;
    const env = { ADDRESS: temporal.address, TASK_QUEUE: taskQueue, FOLDER: folder };
    const onUnexpected = (error: string): void => void this.tally.unexpected.push(error);
    const callers = (name: string, more: Readonly<Record<string, string>>) =>
      new Program<CallerOrder, CallerReport>({
        name,
        file: new URL('./caller-process.ts', import.meta.url),
        env: { ...env, CALLERS: '16', ...more },
        onReport: (report) => {
          if (name === 'repeater') this.#onRepeated(report);
          else this.#onCall(report);
        },
        onUnexpected,
        logFile,
      });
    this.#callers = [callers('callers 1', {}), callers('callers 2', {})];
    this.#repeater = callers('repeater', { LANES: '4' });
    this.#crowd = Array.from({ length: crowd }, (_, number) => callers(`crowd ${number}`, { CALLERS: '2' }));
    this.#foreignWriter = new Program({
      name: 'foreign writer',
      file: new URL('./foreign-writer-process.ts', import.meta.url),
      env: { ...env, STORE_URL: url },
      onReport: ({ kind }) => {
        this.#lastProgressAt = performance.now();
        if (kind === 'appended') this.tally.foreignAppends++;
        else this.tally.foreignConflicts++;
      },
      onUnexpected,
      logFile,
    });
    const workerFile = new URL('./worker-process.ts', import.meta.url);
    const workerEnv = { ...env, STORE_URL: proxy.url(url), WORKFLOW_BUNDLE: workflowBundle };
    this.#oldWorker = new Program({
      name: 'old worker',
      file: workerFile,
      env: { ...workerEnv, RELEASE: 'before' },
      onReport: (report) => {
        if (report.kind === 'ready') this.#isOldWorkerReady = true;
      },
      onUnexpected,
      onDeath: (how) => {
        this.tally.onDeath(`of the release before: ${how}`);
      },
      logFile,
    });
    this.#worker = new Program({
      name: 'worker',
      file: workerFile,
      env: { ...workerEnv, ...(omission !== undefined && { OMISSION: omission }) },
      onReport: (report) => {
        if (report.kind === 'ready') this.#isWorkerReady = true;
        else if (report.kind === 'append') this.tally.onAppend(report.error);
        else this.tally.onFailedRead(report.error);
      },
      onUnexpected,
      // A supervisor starts it again, whyever it died.
      onDeath: (how) => {
        this.tally.onDeath(`by itself: ${how}`);
        this.#isWorkerReady = false;
        if (!this.#isEnding) this.#worker.start();
      },
      logFile,
    });
  }

  async start(): Promise<void> {
    for (const program of [...this.#callers, this.#repeater, this.#foreignWriter, this.#worker]) {
      program.start();
    }
    await waitUntil(() => this.#isWorkerReady, 'the worker is ready');
  }

  /** Lets the callers of both processes send commands. */
  send(commands: readonly WalletCommand[], timeout: number): void {
    if (this.#open.size === 0) this.tally.onWait();
    for (const [index, caller] of this.#callers.entries()) {
      const share = commands.filter((_, place) => place % this.#callers.length === index);
      for (const command of share) this.#open.set(command.commandId, { command, caller: index });
      if (share.length > 0) caller.tell({ kind: 'send', commands: share, timeout });
    }
  }

  /** Lets each process of the crowd send some of the commands. */
  sendByCrowd(commands: readonly WalletCommand[], timeout: number): void {
    for (const [index, caller] of this.#crowd.entries()) {
      const share = commands.filter((_, place) => place % this.#crowd.length === index);
      // Nobody kills it, so nobody has to know which of them sends a command again.
      for (const command of share) this.#open.set(command.commandId, { command, caller: NaN });
      caller.start();
      caller.tell({ kind: 'send', commands: share, timeout });
    }
  }

  async endCrowd(): Promise<void> {
    for (const caller of this.#crowd) caller.tell({ kind: 'finish' });
    await Promise.all(this.#crowd.map((caller) => caller.end()));
  }

  async startOldWorker(): Promise<void> {
    this.#oldWorker.start();
    await waitUntil(() => this.#isOldWorkerReady, 'the worker of the release before is ready');
  }

  async killOldWorker(): Promise<void> {
    this.#isOldWorkerReady = false;
    await this.#oldWorker.kill();
  }

  /** Has the worker stop in order, and measures how long that takes. The supervisor starts it again. */
  async stopWorker(): Promise<number> {
    this.#isWorkerReady = false;
    const { deaths } = this.tally;
    const began = performance.now();
    this.#worker.tell({ kind: 'stop' });
    await waitUntil(() => this.tally.deaths > deaths, 'the worker has stopped');
    return performance.now() - began;
  }

  /** Kills a process of callers; the next one sends again whatever has no answer. */
  async killCallers(index: number, timeout: number): Promise<void> {
    const caller = this.#callers[index];
    await caller?.kill();
    caller?.start();
    const open = [...this.#open.values()].filter((each) => each.caller === index);
    caller?.tell({ kind: 'send', commands: open.map(({ command }) => command), timeout });
  }

  /** Lets the foreign writer append to a wallet. */
  appendFromElsewhere(id: string): void {
    this.#foreignOrders++;
    this.#foreignWriter.tell({ kind: 'append', id });
  }

  /**
   * Waits until all that was sent has an answer, and the foreign writer has done its part.
   *
   * @throws when nothing of it happens for a minute
   */
  async settle(what: string): Promise<void> {
    const patience = 60_000;
    this.#lastProgressAt = performance.now();
    const isStuck = (): boolean => performance.now() > this.#lastProgressAt + patience;
    await waitUntil(() => this.#isSettled || isStuck(), `all is answered after: ${what}`, Infinity);
    if (this.#isSettled) return;
    throw new Error(
      `No answer for ${patience / 1_000} s after: ${what}. Open: ${[...this.#open.keys()].join()}; ` +
        `again: ${[...this.#openAgain.keys()].join()}; from elsewhere: ${this.#foreignOrders - this.tally.foreignAppends}`,
    );
  }

  /** Asks again for all outcomes that nobody knows, until they are known. */
  async askAgain(): Promise<void> {
    while (this.#unknown.size > 0) {
      const commands = [...this.#unknown.values()];
      this.#unknown.clear();
      this.send(commands, 30_000);
      await this.settle('commands without an outcome were sent again');
    }
  }

  armWorker(when: DeathOrder['when'], afterAppends = 0): void {
    this.#worker.tell({ kind: 'die', when, afterAppends });
  }

  async killWorker(): Promise<void> {
    this.#isWorkerReady = false;
    await this.#worker.kill();
    this.tally.onDeath('from outside: SIGKILL');
    this.#worker.start();
  }

  async waitForWorker(): Promise<void> {
    await waitUntil(() => this.#isWorkerReady, 'the worker is ready');
  }

  /** Ends the callers and the foreign writer. The worker lives on. */
  async endCallers(): Promise<void> {
    const programs = [...this.#callers, this.#repeater, this.#foreignWriter];
    for (const program of programs) program.tell({ kind: 'finish' });
    await Promise.all(programs.map((program) => program.end()));
  }

  async close(): Promise<void> {
    this.#isEnding = true;
    await Promise.all(
      [
        ...this.#callers,
        ...this.#crowd,
        this.#repeater,
        this.#foreignWriter,
        this.#worker,
        this.#oldWorker,
      ].map((program) => program.kill()),
    );
    await this.proxy.close();
  }

  get #isSettled(): boolean {
    const isAppended = this.tally.foreignAppends === this.#foreignOrders;
    return this.#open.size === 0 && this.#openAgain.size === 0 && isAppended;
  }

  #onCall(report: CallerReport): void {
    const { command } = report;
    // Of those in scenes there is none, and nothing else happens to them.
    const number = Number(/^command-(\d+)$/.exec(command.commandId)?.[1] ?? NaN);
    if (report.kind === 'sending') {
      if (number % (2 * repeats) === 0) this.#repeat(command);
      return;
    }
    this.tally.onAnswer(report.answer);
    this.#open.delete(command.commandId);
    if (report.answer.kind === 'unknown') this.#unknown.set(command.commandId, command);
    else this.#lastProgressAt = performance.now();
    if (number % (2 * repeats) === repeats) this.#repeat(command);
    if (number % foreignEvery === 1) this.appendFromElsewhere(command.id);
  }

  #repeat(command: WalletCommand): void {
    this.#openAgain.set(command.commandId, command);
    this.#repeater.tell({ kind: 'send', commands: [command], timeout: 30_000 });
  }

  #onRepeated(report: CallerReport): void {
    if (report.kind !== 'answered') return;
    const { command, answer } = report;
    if (answer.kind === 'unknown') {
      this.#repeat(command);
      return;
    }
    this.#openAgain.delete(command.commandId);
    this.#lastProgressAt = performance.now();
  }
}
