import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import { AggregateClient } from 'temporal-event-store/client';
import { Account } from './account.js';
import { createLiveLine } from './live-line.js';
import { LoadMeter, type LoadFigures } from './load-meter.js';
import type { Options } from './options.js';
import { sendDeposits, type AnsweredCommand } from './send-deposits.js';
import { startWorkerChild, type WorkerSettings } from './worker-child.js';

/** Milliseconds between two figures of the live line. */
const refreshInterval = 500;

export interface LoadResult {
  readonly commands: readonly AnsweredCommand[];
  /** How many of them were sent again. */
  readonly resent: number;
  readonly figures: LoadFigures;
  /** Milliseconds until the next answer, when the worker was killed. */
  readonly silence: number | undefined;
}

/** Sends commands until it is time, and kills the worker half-way if asked to. Ctrl+C ends it early. */
export async function runLoad(
  client: Client,
  settings: WorkerSettings,
  accountIds: readonly string[],
  { callers, lanes, end, kill }: Options,
): Promise<LoadResult> {
  const { taskQueue } = settings;
  await using accounts = new AggregateClient({ client, aggregate: Account, taskQueue, lanes });
  const onBatches = (sizes: readonly number[]): void => {
    meter.onBatches(sizes);
  };
  let worker = await startWorkerChild(settings, onBatches);
  const start = performance.now();
  const meter = new LoadMeter(start);
  const progress = (): number =>
    'seconds' in end ? (performance.now() - start) / 1_000 / end.seconds : meter.commands / end.commands;

  const ended = new AbortController();
  const interrupt = (): void => {
    ended.abort();
  };
  process.once('SIGINT', interrupt);
  const line = createLiveLine();
  let killedAt: number | undefined;
  let replacing: Promise<void> | undefined;
  const replaceWorker = async (): Promise<void> => {
    await worker.kill();
    killedAt = performance.now();
    worker = await startWorkerChild(settings, onBatches);
  };
  const watch = async (): Promise<void> => {
    while (!ended.signal.aborted) {
      line.update(progress(), meter.live(performance.now()));
      await delay(refreshInterval, undefined, { signal: ended.signal }).catch(() => undefined);
    }
  };
  const send = async () => {
    try {
      return await sendDeposits(accounts, {
        accountIds,
        callers,
        isOver: (sent) => ended.signal.aborted || ('seconds' in end ? progress() >= 1 : sent >= end.commands),
        onAnswer: (took) => {
          meter.onAnswer(performance.now(), took);
          if (kill && progress() >= 0.5) replacing ??= replaceWorker();
        },
      });
    } finally {
      ended.abort();
    }
  };
  try {
    const [sent] = await Promise.all([send(), watch()]);
    await replacing;
    await worker.stop();
    line.update(1, meter.total());
    const silence = killedAt === undefined ? undefined : meter.silenceAfter(killedAt);
    return { ...sent, figures: meter.total(), silence };
  } finally {
    process.off('SIGINT', interrupt);
    line.stop();
    await worker.kill();
  }
}
