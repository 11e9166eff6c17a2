import { activityInfo, cancellationSignal, heartbeat } from '@temporalio/activity';
import { iterateAll, type CommitChain, type EventStatistics, type EventStore } from 'temporal-event-store';
import { tagOf } from '../event-log/case-event.js';
import { EventLogError, toFailure } from '../event-log/event-log-error.js';
import type { LogEntry } from '../event-log/log-entry.js';
import { openEventLog } from '../event-log/log-reader.js';
import { toWindows, type LogWindow } from '../event-log/log-window.js';
import { appendFine, type FineLine } from './append-fine.js';
import { toFineCommand } from './fine-command.js';
import type { FineEvent } from './fine-event.js';
import { addToTotals, countedTypes, type Totals } from './totals.js';

export interface FineLog {
  /** Path of the file where the worker runs. */
  readonly file: string;
  /** Of its content. */
  readonly fingerprint: string;
  /** How many lines to import, from the first. Default: all. */
  readonly limit?: number;
}

export interface CheckedFines {
  readonly lines: number;
  /** How many of them were stored already. */
  readonly stored: number;
}

export type FineStore = EventStore & CommitChain & Pick<EventStatistics, 'statistics'>;
export type FineActivities = ReturnType<typeof createFineActivities>;

const appendsInFlight = 16;

export function createFineActivities({ store }: { readonly store: FineStore }) {
  return {
    /** Reads the log before anything is stored: of a broken one, or one that tells of other things, nothing is. */
    checkFineLog: (log: FineLog): Promise<CheckedFines> =>
      withTypedFailure(async () => {
        let lines = 0;
        for await (const entry of readLog(log)) {
          toFineCommand(entry, log.file);
          if (++lines % 1000 === 0) stillHere();
        }
        return { lines, stored: await countStored(log) };
      }),

    /** Gives each fine its commands, from where an earlier attempt stopped. */
    importFineLog: (log: FineLog & { total: number }): Promise<void> =>
      withTypedFailure(async () => {
        // As in ../event-log: a window begins after those before it are stored, so the store says where to go on.
        const resumeAt = await countStored(log);
        for await (const window of toWindows(readLog(log))) {
          const done = window.start + window.entries.length;
          const progress = (lines: number) => ({ done: Math.max(lines, resumeAt), total: log.total });
          if (done > resumeAt) {
            await appendAll(toFines(window, log), tagOf(log.fingerprint), () => {
              heartbeat(progress(window.start));
            });
          }
          stillHere(progress(done));
        }
      }),

    /** The totals per year, from the events themselves. An attempt goes on where the last one was heard of. */
    sumFines: async ({ tag }: { readonly tag: string }): Promise<Totals> => {
      let { after, totals } = (activityInfo().heartbeatDetails as SumProgress | undefined) ?? {
        after: 0,
        totals: {},
      };
      const filter = { tags: [tag], types: [...countedTypes] };
      let events = 0;
      for await (const event of iterateAll<FineEvent>(store, { after, filter })) {
        totals = addToTotals(totals, event);
        after = event.position;
        if (++events % 500 === 0) stillHere({ after, totals } satisfies SumProgress);
      }
      return totals;
    },
  };

  async function countStored({ fingerprint }: FineLog): Promise<number> {
    return (await store.statistics({ filter: { tags: [tagOf(fingerprint)] } })).total;
  }

  /** A fine is there once, so all of them can be appended at the same time. */
  async function appendAll(
    fines: Iterable<readonly FineLine[]>,
    tag: string,
    afterEach: () => void,
  ): Promise<void> {
    const signal = cancellationSignal();
    // The lanes share a generator, which is closed for all of them by the first that throws.
    const waiting = (function* () {
      yield* fines;
    })();
    const lane = async (): Promise<void> => {
      for (const lines of waiting) {
        await appendFine(store, lines, tag, signal);
        afterEach();
      }
    };
    // When one fails, the attempt fails after the others have ended: nothing of it goes on.
    const lanes = await Promise.allSettled(Array.from({ length: appendsInFlight }, lane));
    const failed = lanes.find(({ status }) => status === 'rejected') as PromiseRejectedResult | undefined;
    if (failed !== undefined) throw failed.reason;
  }
}

interface SumProgress {
  readonly after: number;
  readonly totals: Totals;
}

async function* readLog({ file, fingerprint, limit }: FineLog): AsyncGenerator<LogEntry> {
  const log = openEventLog(file);
  let lines = 0;
  for await (const entry of log.entries) {
    yield entry;
    if (++lines === limit) return;
  }
  if (log.fingerprint() !== fingerprint) {
    throw new EventLogError('the file was changed while it was imported.', { file });
  }
}

/** The lines of each fine in a window, in the order of the file. */
function toFines(
  { start, entries }: LogWindow,
  { file, fingerprint }: FineLog,
): Iterable<readonly FineLine[]> {
  const fines = new Map<string, FineLine[]>();
  for (const [index, entry] of entries.entries()) {
    const { caseId, occurredAt, resource } = entry;
    const line: FineLine = {
      fineId: caseId,
      command: toFineCommand(entry, file),
      occurredAt,
      officer: resource,
      commitId: `${fingerprint}/${start + index}`,
    };
    const lines = fines.get(caseId);
    if (lines === undefined) fines.set(caseId, [line]);
    else lines.push(line);
  }
  return fines.values();
}

/** @throws CancelledFailure when the activity is to stop */
function stillHere(progress?: object): void {
  heartbeat(progress);
  cancellationSignal().throwIfAborted();
}

async function withTypedFailure<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    throw error instanceof EventLogError ? toFailure(error) : error;
  }
}
