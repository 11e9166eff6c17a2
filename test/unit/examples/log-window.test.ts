import { describe, expect, it } from 'vitest';
import type { LogEntry } from '../../../examples/event-log/log-entry.js';
import {
  toCommits,
  toWindows,
  type CaseCommit,
  type LogWindow,
} from '../../../examples/event-log/log-window.js';

const fingerprint = 'f'.repeat(64);

function entry(caseId: string, activity: string, size = 100): LogEntry {
  const occurredAt = '2024-01-02T03:04:05Z';
  return { line: 1, caseId, activity, occurredAt, attributes: {}, caseAttributes: { of: caseId }, size };
}

async function windowsOf(entries: readonly LogEntry[]): Promise<LogWindow[]> {
  const windows: LogWindow[] = [];
  for await (const window of toWindows(
    (async function* () {
      yield* entries;
    })(),
  )) {
    windows.push(window);
  }
  return windows;
}

async function commitsOf(entries: readonly LogEntry[]): Promise<readonly CaseCommit[]> {
  const knownCases = new Set<string>();
  return (await windowsOf(entries)).flatMap((window) => toCommits(window, fingerprint, knownCases));
}

/** 1,300 lines of 7 cases in turn. */
const interleaved = Array.from({ length: 1300 }, (_, index) => entry(`c${index % 7}`, `step ${index}`));

describe('the windows of a log', () => {
  it('follow each other without gap', async () => {
    const windows = await windowsOf(interleaved);
    expect(windows.map(({ start, entries }) => [start, entries.length])).toEqual([
      [0, 500],
      [500, 500],
      [1000, 300],
    ]);
    expect(windows.flatMap(({ entries }) => entries)).toEqual(interleaved);
  });

  it('end early where the lines are long, so that a commit is never too large', async () => {
    const windows = await windowsOf(
      [400_000, 500_000, 500_000, 1, 2].map((size) => entry('c', 'step', size)),
    );
    expect(windows.map(({ entries }) => entries.length)).toEqual([3, 2]);
  });

  it('end with the line that fills them', async () => {
    const windows = await windowsOf([500_000, 500_000, 1].map((size) => entry('c', 'step', size)));
    expect(windows.map(({ entries }) => entries.length)).toEqual([2, 1]);
  });

  it('are none for no lines', async () => {
    expect(await windowsOf([])).toEqual([]);
  });
});

describe('the commits of a log', () => {
  it('are one for each case in a window', async () => {
    const commits = await commitsOf(interleaved);
    expect(commits).toHaveLength(3 * 7);
    expect(commits[0]).toMatchObject({ streamId: 'Case-c0', commitId: `${fingerprint}/c0/0` });
    expect(commits.at(-1)).toMatchObject({ commitId: expect.stringMatching(/\/1000$/) as string });
  });

  it('keep the order of the file within a case', async () => {
    const events = (await commitsOf(interleaved))
      .filter(({ streamId }) => streamId === 'Case-c3')
      .flatMap((commit) => commit.events.map(({ type }) => type));
    expect(events).toEqual(
      interleaved.filter(({ caseId }) => caseId === 'c3').map(({ activity }) => activity),
    );
  });

  it('are the same each time, with ids of their own', async () => {
    const commits = await commitsOf(interleaved);
    expect(await commitsOf(interleaved)).toEqual(commits);
    expect(new Set(commits.map(({ commitId }) => commitId)).size).toBe(commits.length);
  });

  it('tell about the case with its first event only', async () => {
    const events = (await commitsOf(interleaved)).flatMap(({ streamId, events }) =>
      events.map(({ type, data }) => ({ streamId, type, about: data.case })),
    );
    const telling = events.filter(({ about }) => about !== undefined);
    expect(telling.map(({ type }) => type)).toEqual([0, 1, 2, 3, 4, 5, 6].map((index) => `step ${index}`));
    expect(telling[2]?.about).toEqual({ of: 'c2' });
  });
});
