import { beforeEach, describe, expect, it } from 'vitest';
import { appendMembers } from '../../../src/sql/append/append-batch.js';
import type { AppendMember } from '../../../src/sql/append/append-member.js';
import type { SqlPort, SqlValue } from '../../../src/sql/sql-port.js';

/** A member with a commit for each of these numbers of events. */
function append(streamId: string, { commits = [1], mayBeStored = false, ...rest } = {}): AppendMember {
  return {
    streamId,
    expectedVersion: 'any',
    ...rest,
    commits: commits.map((count, index) => ({
      commitId: `${streamId}${index}`,
      mayBeStored,
      eventIds: Array.from({ length: count }, (_, ordinal) => `${streamId}${index}${ordinal}`),
      events: Array.from({ length: count }, (_, ordinal) => ({
        type: 'Opened',
        schemaVersion: 1 + ordinal,
        data: `{"of":"${streamId}"}`,
        metadata: '{}',
        correlationId: undefined,
        tags: [],
        occurredAt: undefined,
      })),
    })),
  };
}

let asked: (readonly SqlValue[])[];
beforeEach(() => {
  asked = [];
});

function answering(...row: readonly string[]): SqlPort {
  return {
    query: (_statement, values) => {
      asked.push(values);
      // Behind the limit that was set.
      return Promise.resolve([['0', ...row]] as unknown as readonly never[]);
    },
  };
}

describe('single events', () => {
  it('are appended with all that they are', async () => {
    const [commit] = append('A').commits;
    const [event] = commit!.events;
    const whole = {
      ...event!,
      correlationId: 'c',
      tags: ['a"b', '\\\\'],
      occurredAt: '2024-01-01T00:00:00.000Z',
    };
    const members = [append('B'), { ...append('A'), commits: [{ ...commit!, events: [whole] }] }];
    await appendMembers(answering('(0,1,1)', '(0,1,2)'), members, false);
    expect(asked).toEqual([
      [
        ...['A', -1, false, 'A0', 'A00', 'Opened', 1, '{"of":"A"}', '{}'],
        ...['c', '{"a\\"b","\\\\\\\\"}', '2024-01-01 00:00:00.000+00'],
        ...['B', -1, false, 'B0', 'B00', 'Opened', 1, '{"of":"B"}', '{}', null, '{}', null],
        null,
      ],
    ]);
  });

  it.each([
    ['five are a call each', Array.from({ length: 5 }, () => append('A')), 5 * 12 + 1],
    ['six are one call', Array.from({ length: 6 }, () => append('A')), 23],
    ['those of several events are one call', [append('A'), append('B', { commits: [2] })], 23],
    ['those of several commits are one call', [append('A'), append('B', { commits: [1, 1] })], 23],
  ])('%s', async (_how, members, values) => {
    const answers = values === 23 ? [`(,"{0}","{1}")`] : members.map(() => '(0,1,1)');
    await appendMembers(answering(...answers), members, false);
    expect(asked.map(({ length }) => length)).toEqual([values]);
  });
});

describe('members that are appended together', () => {
  // The answer has the version of the last event of each stream.
  it('have the versions and positions of their commits', async () => {
    const members = [append('B', { commits: [2, 1] }), append('A'), append('B')];
    const outcomes = await appendMembers(answering('(,"{4,12,12}","{21,22,23,24,25}")'), members, false);
    expect(outcomes).toEqual([
      {
        kind: 'appended',
        commits: [
          { version: 10, position: 23 },
          { version: 11, position: 24 },
        ],
      },
      { kind: 'appended', commits: [{ version: 4, position: 21 }] },
      { kind: 'appended', commits: [{ version: 12, position: 25 }] },
    ]);
  });

  it('have outcomes of their own where one is not appended', async () => {
    const members = [append('A', { commits: [2] }), append('B'), append('C'), append('D')];
    const outcomes = await appendMembers(answering('("{1,2,0,0}","{7,0,4,9}","{21,22}")'), members, false);
    expect(outcomes).toEqual([
      { kind: 'conflict', actualVersion: 7 },
      { kind: 'stored' },
      { kind: 'appended', commits: [{ version: 4, position: 21 }] },
      { kind: 'appended', commits: [{ version: 9, position: 22 }] },
    ]);
  });
});
