import { beforeEach, describe, expect, it } from 'vitest';
import type { ExpectedVersion } from '../../../src/core/store/event-store.js';
import { toMember, type AppendMember } from '../../../src/sql/append/append-member.js';
import { BatchRunner, type BatchLimits } from '../../../src/sql/append/batch-runner.js';
import type { SqlPort, SqlRow, SqlValue } from '../../../src/sql/sql-port.js';

function append(
  streamId: string,
  mayBeStored = false,
  expectedVersion: ExpectedVersion = 'any',
): AppendMember {
  const event = { type: 'Opened', schemaVersion: 1, data: '{}', metadata: '{}', tags: [] };
  const events = [{ ...event, correlationId: undefined, occurredAt: undefined }];
  const commit = { commitId: streamId, mayBeStored, eventIds: [`id of ${streamId}`], events };
  return toMember([{ streamId, expectedVersion, commits: [commit] }]);
}

/** As a driver throws what the server said. */
const said = (code: string): Error => Object.assign(new Error('no'), { code, severity: 'ERROR' });
const lost = new Error('read ECONNRESET');

/** A statement of single appends: of which streams, and whether their commits were looked for. */
interface Asked {
  readonly streams: readonly SqlValue[];
  readonly looksFor: readonly SqlValue[];
  readonly expected: readonly SqlValue[];
  /** Milliseconds that a lock is waited for. */
  readonly lockTimeout: SqlValue;
}

let asked: Asked[];

beforeEach(() => {
  asked = [];
});

/** A database that appends to version 1 and position 7, or does what the next of these says. */
function database(...answers: (Error | SqlRow)[]): SqlPort {
  return {
    query: (_statement, values) => {
      const members = Array.from({ length: (values.length - 1) / 12 }, (_, index) => index * 12);
      asked.push({
        lockTimeout: values.at(-1) as SqlValue,
        streams: members.map((at) => values[at] as SqlValue),
        looksFor: members.map((at) => values[at + 2] as SqlValue),
        expected: members.map((at) => values[at + 1] as SqlValue),
      });
      const answer = answers.shift() ?? members.map(() => '(0,1,7)');
      // Behind the limit that was set.
      return answer instanceof Error
        ? Promise.reject(answer)
        : Promise.resolve([[values.at(-1), ...answer]] as unknown as readonly never[]);
    },
  };
}

const appended = (wasRepeated: boolean) => ({
  status: 'fulfilled',
  value: { kind: 'appended', commits: [{ version: 1, position: 7 }], wasRepeated },
});

const aMinute = 60_000;
const limits = { retryTimeout: aMinute, lockTimeout: aMinute };
const runnerOf = (port: SqlPort, of: BatchLimits): BatchRunner['run'] => {
  const runner = new BatchRunner(port, of);
  return (...args) => runner.run(...args);
};
const now = () => ({ enqueuedAt: performance.now(), lockTimeout: 250, isRepeated: false });

describe('a batch', () => {
  it('is one statement, its members in the order of their streams, each with its outcome', async () => {
    const run = runnerOf(database(['(1,5,0)', '(0,1,7)', '(2,0,0)']), limits);
    expect(await run([append('B'), append('C', true), append('A')], now())).toEqual([
      appended(false),
      { status: 'fulfilled', value: { kind: 'stored', wasRepeated: false } },
      { status: 'fulfilled', value: { kind: 'conflict', part: 0, actualVersion: 5, wasRepeated: false } },
    ]);
    expect(asked).toEqual([
      {
        streams: ['A', 'B', 'C'],
        looksFor: [false, false, true],
        expected: [-1, -1, -1],
        lockTimeout: '250',
      },
    ]);
  });

  it('looks for commits that may be stored where no version is expected, which would tell', async () => {
    const versions = ['any', 'streamExists', 'noStream', 0, 3] as const;
    const members = versions.map((expected, index) => append(`A${index}`, true, expected));
    await runnerOf(database(), limits)(members, now());
    expect(asked).toMatchObject([
      {
        streams: ['A0', 'A1', 'A2', 'A3', 'A4'],
        looksFor: [true, true, false, false, false],
        expected: [-1, -2, 0, 0, 3],
      },
    ]);
  });

  it('locks its streams in one order, and keeps the order in each', async () => {
    const members = ['C', 'A', 'B', 'A', 'C'].map((streamId, index) => append(streamId, false, index));
    await runnerOf(database(), limits)(members, now());
    expect(asked).toMatchObject([{ streams: ['A', 'A', 'B', 'C', 'C'], expected: [1, 3, 2, 0, 4] }]);
  });

  it('is sent again when the connection is lost, and looks for what was stored', async () => {
    const run = runnerOf(database(lost, said('40P01')), limits);
    expect(await run([append('A'), append('B')], now())).toEqual([appended(true), appended(true)]);
    expect(asked.map(({ looksFor }) => looksFor)).toEqual([
      [false, false],
      [true, true],
      [true, true],
    ]);
  });

  it('is sent again when an id of it is there, to look for it first', async () => {
    const run = runnerOf(database(said('23505'), ['(2,0,0)']), limits);
    expect(await run([append('A')], now())).toEqual([
      { status: 'fulfilled', value: { kind: 'stored', wasRepeated: false } },
    ]);
    expect(asked.map(({ looksFor }) => looksFor)).toEqual([[false], [true]]);
  });

  it('fails as a whole when the database does not come back in time', async () => {
    const run = runnerOf(database(lost), limits);
    const late = { ...now(), enqueuedAt: performance.now() - aMinute };
    expect(await run([append('A'), append('B')], late)).toEqual([
      { status: 'rejected', reason: lost },
      { status: 'rejected', reason: lost },
    ]);
    expect(asked).toHaveLength(1);
  });

  it('of which one spoils the statement is sent one by one, in their order, and only that one fails', async () => {
    const spoilt = said('22P02');
    const run = runnerOf(database(spoilt, ['(0,1,7)'], spoilt, lost), limits);
    expect(await run([append('B'), append('A'), append('B')], now())).toEqual([
      appended(false),
      { status: 'rejected', reason: spoilt },
      appended(true),
    ]);
    expect(asked.slice(1).map(({ streams }) => streams)).toEqual([['B'], ['A'], ['B'], ['B']]);
  });

  it.each([
    ['a single one', [append('A')], said('22P02')],
    ['what is not to blame itself', [append('A'), append('B')], said('42501')],
  ])('that is refused is not sent again: %s', async (_what, members, reason) => {
    const run = runnerOf(database(reason), limits);
    expect(await run(members, now())).toEqual(members.map(() => ({ status: 'rejected', reason })));
    expect(asked).toHaveLength(1);
  });
});

describe('a batch that meets a lock', () => {
  const locked = said('55P03');
  const isLocked = (isRepeated: boolean) => ({ status: 'locked', isRepeated });

  it('is sent one by one, and only the stream that is locked waits, with all that follow in it', async () => {
    const run = runnerOf(database(locked, ['(0,1,7)'], locked, ['(0,1,7)']), limits);
    expect(await run([append('A'), append('L'), append('L'), append('B')], now())).toEqual([
      appended(false),
      isLocked(false),
      isLocked(false),
      appended(false),
    ]);
    expect(asked.slice(1).map(({ streams }) => streams)).toEqual([['A'], ['L'], ['B']]);
    // Alone, none waits long.
    expect(asked.map(({ lockTimeout }) => lockTimeout)).toEqual(['250', '20', '20', '20']);
  });

  it('tells of a reply that was lost before, after which it may be stored', async () => {
    const run = runnerOf(database(lost, locked), limits);
    expect(await run([append('L')], now())).toEqual([isLocked(true)]);
    const again = runnerOf(database(), limits);
    expect(await again([append('L')], { ...now(), isRepeated: true })).toEqual([appended(true)]);
    expect(asked.at(-1)).toMatchObject({ looksFor: [true] });
  });

  it('is an error of the locked append when its time is up', async () => {
    const run = runnerOf(database(locked), { ...limits, lockTimeout: 100 });
    const late = { ...now(), enqueuedAt: performance.now() - 100 };
    expect(await run([append('L')], late)).toMatchObject([
      {
        status: 'rejected',
        isLocked: true,
        reason: {
          code: 'STORE_UNAVAILABLE',
          commitId: 'L',
          message: expect.stringContaining("'L' is locked") as unknown,
        },
      },
    ]);
    // No longer than a half of what it may wait in all.
    expect(asked[0]).toMatchObject({ lockTimeout: '50' });
  });

  it('is told apart also where the server gives statements less time than a lock', async () => {
    const run = runnerOf(database(said('57014'), ['(0,1,7)'], ['(0,1,7)']), limits);
    expect(await run([append('A'), append('B')], now())).toEqual([appended(false), appended(false)]);
  });
});
