import { readFile } from 'node:fs/promises';
import { Client, Connection } from '@temporalio/client';
import { ProjectionClient } from 'temporal-event-store/client';
import { PostgresEventStore } from 'temporal-event-store/postgres';
import type { Cluster } from '../../../dev/postgres-server/cluster.js';
import { startTcpProxy, type TcpProxy } from '../../support/tcp-proxy.js';
import type { DurableTemporalServer } from '../commands/durable-temporal-server.js';
import type { Finding } from '../findings.js';
import { Program } from '../program.js';
import { waitUntil } from '../wait.js';
import { audit } from './audit.js';
import { ledger, type LedgerEvent, type Owner } from './ledger.js';
import type { Moment, WorkerOrder, WorkerReport, WriterOrder, WriterReport } from './messages.js';
import type { Omission } from './omissions.js';
import { Reader } from './reader.js';
import { Tally } from './tally.js';
import { Waiter } from './waiter.js';

export interface ArenaOptions {
  readonly cluster: Cluster;
  readonly temporal: DurableTemporalServer;
  /** Of a migrated database. */
  readonly url: string;
  readonly taskQueue: string;
  readonly workflowBundle: string;
  readonly logFile: string;
  readonly shards: number;
  /** What the sink of the workers does wrong. */
  readonly omission?: Omission;
}

/** Milliseconds without a sign of life after which another worker takes over. */
const heartbeatTimeout = 3_000;

/** Seconds. */
const patience = 120;

/** One of the workers that fight over the projection. */
interface Contender {
  readonly program: Program<WorkerOrder, WorkerReport>;
  isReady: boolean;
  /** Transactions of pages that have ended, in whatever way. */
  ends: number;
}

/** The processes of one run, with the network between workers and database. */
export class Arena {
  readonly cluster: Cluster;
  readonly temporal: DurableTemporalServer;
  readonly url: string;
  readonly proxy: TcpProxy;
  readonly store: PostgresEventStore;
  readonly projector: ProjectionClient;
  readonly tally = new Tally();
  readonly waiter: Waiter;
  readonly reader: Reader;
  /** Who wrote a page last, and of which build. */
  lastPage: { readonly contender: Contender; readonly build: number } | undefined;
  readonly #options: ArenaOptions;
  readonly #writer: Program<WriterOrder, WriterReport>;
  #contenders: readonly Contender[];
  /** By shard, of whichever build. */
  readonly #owners = new Map<number, { readonly token: number; readonly contender: Contender }>();
  #striking: Moment | undefined;
  #position = 0;
  #isWriterDone = false;
  #isEnding = false;

  /** Two workers, a writer, a reader and a waiter, which are all at work when this returns. */
  static async open(options: ArenaOptions): Promise<Arena> {
    const { url, temporal, taskQueue } = options;
    const connection = await Connection.connect({ address: temporal.address });
    const arena = new Arena(options, {
      proxy: await startTcpProxy(url),
      store: await PostgresEventStore.connect({ connectionString: url }),
      projector: new ProjectionClient({ client: new Client({ connection }), taskQueue }),
    });
    await arena.#start();
    return arena;
  }

  private constructor(options: ArenaOptions, made: Pick<Arena, 'proxy' | 'store' | 'projector'>) {
    const { cluster, temporal, url, logFile } = options;
    this.#options = options;
    this.cluster = cluster;
    this.temporal = temporal;
    this.url = url;
    this.proxy = made.proxy;
    this.store = made.store;
    this.projector = made.projector;
    const onUnexpected = (error: string): void => void this.tally.unexpected.push(error);
    this.waiter = new Waiter({
      projector: made.projector,
      url,
      position: () => this.#position,
      onUnexpected,
    });
    this.reader = new Reader(url);
    this.#contenders = this.#enlist([1]);
    this.#writer = new Program({
      name: 'writer',
      file: new URL('./writer-process.ts', import.meta.url),
      env: { STORE_URL: url },
      onReport: (report) => {
        if (report.kind === 'finished') this.#isWriterDone = true;
        else this.#onAppend(report);
      },
      onUnexpected,
      logFile,
    });
  }

  /** Puts workers that know these versions of the projection in the place of those before. */
  async deploy(versions: readonly number[]): Promise<void> {
    await this.#discharge();
    this.#contenders = this.#enlist(versions);
    for (const { program } of this.#contenders) program.start();
    await this.waitForWorkers();
  }

  /** Puts one worker that knows these versions in the place of one of those before, beside the other. */
  async deployOne(index: 0 | 1, versions: readonly number[]): Promise<void> {
    const before = this.#contenders[index] as Contender;
    const contender = this.#enlistOne(before.program.name, versions);
    this.#contenders = this.#contenders.with(index, contender);
    await before.program.kill();
    this.#forget(before);
    contender.program.start();
    await this.waitForWorkers();
  }

  /** Appends past the writer. @returns the ids of the events */
  async append(stream: string, types: readonly LedgerEvent['type'][]): Promise<readonly string[]> {
    const events = types.map((type): LedgerEvent => ({ type, data: { amount: 1 } }));
    const { position, eventIds } = await this.store.appendToStream<LedgerEvent>(stream, events);
    this.#onAppend({ position, events: types.length });
    return eventIds;
  }

  /** Kills the worker that wrote last, from outside. */
  async kill(): Promise<void> {
    const contender = this.lastPage?.contender ?? this.#contenders[0];
    if (contender === undefined) return;
    await contender.program.kill();
    this.#onDeath(contender, 'from outside');
  }

  /** Lets a worker kill itself: the owner of a shard, or whoever gets there first. */
  async strike(moment: Moment): Promise<void> {
    const { killed } = this.tally;
    this.#striking = moment;
    await this.#order({ kind: 'strike', moment, signal: 'SIGKILL' }, () => this.tally.killed > killed);
  }

  /** Lets the owner of a shard stop itself. @returns a way to let it go on */
  async stop(moment: Moment): Promise<{ readonly goOn: () => Promise<void> }> {
    let stopped: Contender | undefined;
    await this.#order({ kind: 'strike', moment, signal: 'SIGSTOP' }, async () => {
      for (const contender of this.#contenders) {
        if (await isStopped(contender.program.pid)) stopped = contender;
      }
      return stopped !== undefined;
    });
    const zombie = stopped as Contender;
    return {
      goOn: async () => {
        const { ends } = zombie;
        zombie.program.signal('SIGCONT');
        await waitUntil(() => zombie.ends > ends, 'the page of a worker that goes on has ended');
      },
    };
  }

  /** Waits until no shard is owned by a worker that is stopped. */
  async waitForTakeover(): Promise<void> {
    await waitUntil(
      async () => {
        const stopped = await Promise.all(
          [...this.#owners.values()].map(({ contender }) => isStopped(contender.program.pid)),
        );
        return !stopped.includes(true);
      },
      'another worker has taken over',
      patience,
    );
  }

  async waitForWorkers(): Promise<void> {
    await waitUntil(() => this.#contenders.every(({ isReady }) => isReady), 'the workers are ready');
  }

  /** Waits until all that is stored by now is in the read model, and compares it with the log. */
  async settle(what: string): Promise<readonly Finding[]> {
    const started = performance.now();
    const position = this.#position;
    await waitUntil(
      () => this.waiter.position >= position,
      `the read model is up to date after: ${what}`,
      patience,
    );
    this.tally.recoveries.push(performance.now() - started);
    await this.waitForWorkers();
    return audit(this.url);
  }

  /** Lets nobody write any more. */
  async finish(): Promise<readonly Finding[]> {
    this.#writer.tell({ kind: 'finish' });
    await waitUntil(() => this.#isWriterDone, 'the writer has finished');
    return this.settle('the end');
  }

  async close(): Promise<void> {
    this.#isEnding = true;
    await this.#discharge();
    await this.#writer.kill();
    await this.waiter.loop.end();
    await this.reader.end();
    await this.store.close();
    await this.proxy.close();
  }

  async #start(): Promise<void> {
    for (const { program } of this.#contenders) program.start();
    await this.waitForWorkers();
    await this.projector.start(ledger, { heartbeatTimeout });
    this.#writer.start();
    await waitUntil(() => this.#position > 0, 'the first events are stored');
    this.waiter.loop.release();
    this.reader.loop.release();
    await waitUntil(() => this.waiter.position > 0, 'the first events are in the read model');
  }

  #enlist(versions: readonly number[]): readonly Contender[] {
    return ['worker 1', 'worker 2'].map((name) => this.#enlistOne(name, versions));
  }

  #enlistOne(name: string, versions: readonly number[]): Contender {
    const { temporal, url, taskQueue, workflowBundle, logFile, shards, omission } = this.#options;
    const contender: Contender = {
      program: new Program<WorkerOrder, WorkerReport>({
        name,
        file: new URL('./worker-process.ts', import.meta.url),
        env: {
          ADDRESS: temporal.address,
          TASK_QUEUE: taskQueue,
          STORE_URL: this.proxy.url(url),
          WORKFLOW_BUNDLE: workflowBundle,
          SHARDS: String(shards),
          VERSIONS: versions.join(),
          ...(omission !== undefined && { OMISSION: omission }),
        },
        onReport: (report) => {
          this.#onReport(contender, report);
        },
        onUnexpected: (error) => void this.tally.unexpected.push(error),
        onDeath: (how) => {
          this.#onDeath(contender, `by itself, ${how === 'SIGKILL' ? (this.#striking ?? how) : how}`);
        },
        logFile,
      }),
      isReady: false,
      ends: 0,
    };
    return contender;
  }

  async #discharge(): Promise<void> {
    this.#owners.clear();
    this.lastPage = undefined;
    await Promise.all(this.#contenders.map(({ program }) => program.kill()));
  }

  /** Gives an order to whoever owns a shard, one at a time, until it is carried out. */
  async #order(order: Extract<WorkerOrder, { kind: 'strike' }>, isDone: () => boolean | Promise<boolean>) {
    const isForAll = order.moment.endsWith('switch');
    let armed: readonly Contender[] = [];
    await waitUntil(
      async () => {
        if (await isDone()) return true;
        const owner = [...this.#owners.values()][0]?.contender;
        const targets = isForAll ? this.#contenders.filter(({ isReady }) => isReady) : owner ? [owner] : [];
        for (const contender of armed) {
          if (!targets.includes(contender)) contender.program.tell({ kind: 'spare' });
        }
        for (const contender of targets) if (!armed.includes(contender)) contender.program.tell(order);
        armed = targets;
        return false;
      },
      `a worker is struck ${order.moment}`,
      patience,
    );
    for (const { program } of this.#contenders) program.tell({ kind: 'spare' });
  }

  #onAppend({ position, events }: { readonly position: number; readonly events: number }): void {
    this.#position = Math.max(this.#position, position);
    this.tally.events += events;
  }

  #onReport(contender: Contender, report: WorkerReport): void {
    this.tally.onReport(report);
    if (report.kind === 'ready') contender.isReady = true;
    else if (report.kind === 'acquired') this.#onOwner(contender, report.owner);
    else contender.ends++;
    if (report.kind === 'page') this.lastPage = { contender, build: report.owner.build };
  }

  /** What two processes tell may come in another order than it happened. */
  #onOwner(contender: Contender, { shard, token }: Owner): void {
    if (token > (this.#owners.get(shard)?.token ?? 0)) this.#owners.set(shard, { token, contender });
  }

  /** A supervisor starts it again, whyever it died. */
  #onDeath(contender: Contender, how: string): void {
    this.tally.onDeath(how);
    this.#forget(contender);
    if (!this.#isEnding) contender.program.start();
  }

  #forget(contender: Contender): void {
    contender.isReady = false;
    for (const [shard, owner] of this.#owners) if (owner.contender === contender) this.#owners.delete(shard);
    if (this.lastPage?.contender === contender) this.lastPage = undefined;
  }
}

async function isStopped(pid: number | undefined): Promise<boolean> {
  if (pid === undefined) return false;
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return /\) T[^)]*$/.test(stat);
}
