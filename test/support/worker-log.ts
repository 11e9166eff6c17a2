import { isNativeError } from 'node:util/types';
import { DefaultLogger, Runtime, type LogEntry } from '@temporalio/worker';
import { afterAll, expect, vi, type RunnerTestSuite } from 'vitest';

/** What a file expects its workers to say, each with how often they did. */
const expected = new Map<RegExp, number>();
/** What depends on who is faster: at first, what the SDK's core says on a machine too slow for a workflow task. */
const allowed: RegExp[] = [
  / core: \[TMPRL1104\].* Workflow task duration exceeded/,
  / core: Task not found when completing/,
  / core: Query not found when attempting to respond/,
  / core: Tried to complete untracked local activity/,
  // A projection that is stopped or paused doesn't wait for its activity, which then completes for nobody.
  / core: Activity not found on completion/,
];
const unexpected: string[] = [];

function hear(entry: LogEntry): void {
  const line = describeEntry(entry);
  const matching = [...expected.keys()].filter((pattern) => pattern.test(line));
  for (const pattern of matching) expected.set(pattern, (expected.get(pattern) ?? 0) + 1);
  if (matching.length === 0 && !allowed.some((pattern) => pattern.test(line))) unexpected.push(line);
}

/** A process runs many files, each with this module anew, and has one runtime of the SDK. */
const shared = globalThis as {
  workerLog?: { readonly since: number; readonly hear: (entry: LogEntry) => void };
};
const isFirst = shared.workerLog === undefined;
shared.workerLog = { since: Date.now(), hear };
if (isFirst) {
  Runtime.install({
    logger: new DefaultLogger('WARN', (entry) => {
      // The core hands its lines over late: some are of the file before, whose workers have stopped.
      const isOfThisFile = Number(entry.timestampNanos / 1_000_000n) >= (shared.workerLog?.since ?? 0);
      if (isOfThisFile) shared.workerLog?.hear(entry);
    }),
    // The lines of the SDK's core go to the logger, too.
    telemetryOptions: { logging: { forward: {}, filter: 'WARN' } },
  });
}

/**
 * What the workers of a test file say at WARN or ERROR, each at least once; any other line fails the file. A line begins like
 * `WARN worker: Activity failed TypeError: …`. Called where the file begins.
 */
export function expectWorkerLog(...patterns: readonly RegExp[]): void {
  for (const pattern of patterns) expected.set(pattern, 0);
}

/** What they may say besides, or not. */
export function allowWorkerLog(...patterns: readonly RegExp[]): void {
  allowed.push(...patterns);
}

/** The SDK warns from 512 KiB. */
export const largePayload = /^WARN core: \[TMPRL1103\] Attempted to upload payloads/;

// Registered before those of the file, so it runs after them.
// eslint-disable-next-line no-empty-pattern -- Vitest insists on a pattern, and there is nothing in it that is needed.
afterAll(async ({}, file) => {
  // The core hands its lines over in bundles.
  await vi.waitFor(() => {
    const missing = [...expected].flatMap(([pattern, times]) => (times === 0 ? [String(pattern)] : []));
    if (isWhole(file)) expect(missing, 'what the workers did not say').toEqual([]);
  }, 5_000);
  expect(unexpected, 'what the workers said that nobody expects; see expectWorkerLog').toEqual([]);
});

/** Whether all its tests have run. */
function isWhole(suite: Readonly<RunnerTestSuite>): boolean {
  return suite.tasks.every((task) => (task.type === 'suite' ? isWhole(task) : task.mode === 'run'));
}

function describeEntry({ level, message, meta = {} }: LogEntry): string {
  const { sdkComponent, error, ...rest } = meta;
  const cause = error === undefined ? '' : ` ${describeError(error)}`;
  return `${level} ${String(sdkComponent)}: ${message}${cause} ${JSON.stringify(rest, bigIntsAsText)}`;
}

function describeError(error: unknown): string {
  if (error instanceof Error) return String(error);
  // One of a workflow, which has an Error of its own, and whose classes a thread would not bring over.
  return isNativeError(error) ? `Error: ${error.message}` : JSON.stringify(error);
}

function bigIntsAsText(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value;
}
