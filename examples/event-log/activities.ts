import { cancellationSignal, heartbeat } from '@temporalio/activity';
import type { EventStatistics, EventStore } from 'temporal-event-store';
import { tagOf } from './case-event.js';
import { EventLogError, toFailure } from './event-log-error.js';
import { openEventLog } from './log-reader.js';
import { toCommits, toWindows, type CaseCommit } from './log-window.js';

export interface LogSource {
  /** Path of the file where the worker runs. */
  readonly file: string;
  /** Of the content that is to be imported. */
  readonly fingerprint: string;
}

export interface CheckedLog {
  readonly events: number;
  readonly cases: number;
  /** How many of the events the store held already. */
  readonly stored: number;
}

/** What the heartbeats of `appendEventLog` carry, for who watches. */
export interface ImportProgress {
  /** Lines whose events are stored. */
  readonly done: number;
  readonly total: number;
}

export type ImportStore = EventStore & Pick<EventStatistics, 'statistics'>;
export type ImportActivities = ReturnType<typeof createImportActivities>;

const appendsInFlight = 16;

export function createImportActivities({ store }: { readonly store: ImportStore }) {
  return {
    /** Reads the whole log before anything is stored: of a broken one, nothing is. */
    checkEventLog: ({ file, fingerprint }: LogSource): Promise<CheckedLog> =>
      withTypedFailure(async () => {
        const log = openEventLog(file);
        const cases = new Set<string>();
        let events = 0;
        for await (const { caseId } of log.entries) {
          cases.add(caseId);
          if (++events % 1000 === 0) stillHere();
        }
        assertUnchanged(file, fingerprint, log.fingerprint());
        return { events, cases: cases.size, stored: await countStored(fingerprint) };
      }),

    /** Appends the log from where an earlier attempt stopped. */
    appendEventLog: ({ file, fingerprint, total }: LogSource & { total: number }): Promise<void> =>
      withTypedFailure(async () => {
        // A window begins after all those before it are stored, so only the last of them can be stored in part. The
        // store itself says where it stands, so this outlives the process, Temporal's server and the workflow. Skipping
        // only saves time: what is appended again is recognised by its commit id.
        const resumeAt = await countStored(fingerprint);
        stillHere({ done: resumeAt, total });
        const log = openEventLog(file);
        const knownCases = new Set<string>();
        for await (const window of toWindows(log.entries)) {
          const commits = toCommits(window, fingerprint, knownCases);
          const done = window.start + window.entries.length;
          if (done > resumeAt) {
            await appendAll(commits, () => {
              stillHere({ done: Math.max(window.start, resumeAt), total });
            });
          }
          stillHere({ done: Math.max(done, resumeAt), total });
        }
        assertUnchanged(file, fingerprint, log.fingerprint());
      }),
  };

  async function countStored(fingerprint: string): Promise<number> {
    return (await store.statistics({ filter: { tags: [tagOf(fingerprint)] } })).total;
  }

  /** A case has one commit in a window, so those of a window can be appended at the same time. */
  async function appendAll(commits: readonly CaseCommit[], afterEach: () => void): Promise<void> {
    // The lanes share a generator, which is closed for all of them by the first that throws.
    const waiting = (function* () {
      yield* commits;
    })();
    const lane = async () => {
      for (const { streamId, commitId, events } of waiting) {
        await store.appendToStream(streamId, events, { commitId, signal: cancellationSignal() });
        afterEach();
      }
    };
    // When one fails, the attempt fails after the others have ended: nothing of it goes on.
    const lanes = await Promise.allSettled(Array.from({ length: appendsInFlight }, lane));
    const failed = lanes.find(({ status }) => status === 'rejected') as PromiseRejectedResult | undefined;
    if (failed !== undefined) throw failed.reason;
  }
}

/** @throws CancelledFailure when the activity is to stop */
function stillHere(progress?: ImportProgress): void {
  heartbeat(progress);
  cancellationSignal().throwIfAborted();
}

function assertUnchanged(file: string, expected: string, actual: string): void {
  if (actual !== expected) throw new EventLogError('the file was changed while it was imported.', { file });
}

async function withTypedFailure<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    throw error instanceof EventLogError ? toFailure(error) : error;
  }
}
