import { beforeEach, describe, expect, it } from 'vitest';
import type { SettledPosition } from '../../../src/core/store/event-store.js';
import { appendMembers } from '../../../src/sql/append/append-batch.js';
import { toMember, type AppendMember, type AppendPart } from '../../../src/sql/append/append-member.js';
import type { SqlArray, SqlPort, SqlValue } from '../../../src/sql/sql-port.js';

/** A member with a commit for each of these numbers of events. */
function append(streamId: string, rest: Parameters<typeof part>[1] = {}): AppendMember {
  return toMember([part(streamId, rest)]);
}

function part(streamId: string, { commits = [1], mayBeStored = false, ...rest } = {}): AppendPart {
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
    const [commit] = part('A').commits;
    const [event] = commit!.events;
    const whole = {
      ...event!,
      correlationId: 'c',
      tags: ['a"b', '\\\\'],
      occurredAt: '2024-01-01T00:00:00.000Z',
    };
    const members = [append('B'), toMember([{ ...part('A'), commits: [{ ...commit!, events: [whole] }] }])];
    await appendMembers(answering('', '(0,1,1)', '(0,1,2)'), members, false);
    expect(asked).toEqual([
      [
        ...['A', -1, false, 'A0', 'A00', 'Opened', 1, '{"of":"A"}', '{}'],
        ...['c', '{"a\\"b","\\\\\\\\"}', '2024-01-01 00:00:00.000+00'],
        ...['B', -1, false, 'B0', 'B00', 'Opened', 1, '{"of":"B"}', '{}', null, '{}', null],
        null,
        // The tags to lock: of no condition, so in the first scope.
        { type: 'text', values: ['a"b', '\\\\'] },
        null,
        0,
      ],
    ]);
  });

  it.each([
    ['five are a call each', Array.from({ length: 5 }, () => append('A')), 5 * 12 + 1],
    ['six are one call', Array.from({ length: 6 }, () => append('A')), 33],
    ['those of several events are one call', [append('A'), append('B', { commits: [2] })], 33],
    ['those of several commits are one call', [append('A'), append('B', { commits: [1, 1] })], 33],
  ])('%s', async (_how, members, values) => {
    const answers = values === 33 ? [`(,"{0}","{1}")`] : members.map(() => '(0,1,1)');
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
      { kind: 'conflict', part: 0, actualVersion: 7 },
      { kind: 'stored' },
      { kind: 'appended', commits: [{ version: 4, position: 21 }] },
      { kind: 'appended', commits: [{ version: 9, position: 22 }] },
    ]);
  });

  const after = { position: 5, storeId: 's' } as SettledPosition;
  const taken = { filter: [{ types: ['Opened'], tags: ['x'] }], after };
  const tagged = (streamId: string): AppendPart => {
    const { commits, ...rest } = part(streamId);
    const [commit] = commits;
    const events = commit!.events.map((event) => ({ ...event, tags: ['x'] }));
    return { ...rest, commits: [{ ...commit!, events }] };
  };

  it('have one outcome for all their parts, and that of a stored commit says most', async () => {
    const members = [
      toMember([part('B'), part('A')]),
      toMember([part('C'), part('D')]),
      toMember([part('E'), part('F')], taken),
      toMember([part('G'), part('H')]),
    ];
    const answer = '("{0,0,4,1,3,3,1,2}","{4,9,0,7,0,0,0,0}","{21,22}",[3:3]={6})';
    expect(await appendMembers(answering('', answer), members, false)).toEqual([
      {
        kind: 'appended',
        commits: [
          { version: 4, position: 21 },
          { version: 9, position: 22 },
        ],
      },
      { kind: 'conflict', part: 1, actualVersion: 7 },
      { kind: 'refused', conflict: 6 },
      { kind: 'stored' },
    ]);
  });

  it('name the event of the same batch that is in the way of a condition', async () => {
    const members = ['A', 'B', 'C'].map((streamId) => toMember([tagged(streamId)], taken));
    const outcomes = await appendMembers(answering('', '("{3,0,3}","{0,1,0}",{21},{6})'), members, false);
    expect(outcomes).toEqual([
      { kind: 'refused', conflict: 6 },
      { kind: 'appended', commits: [{ version: 1, position: 21 }] },
      { kind: 'refused', conflict: { streamId: 'B', type: 'Opened', id: 'B00' } },
    ]);
  });

  it('can have a condition of another store', async () => {
    const members = [toMember([tagged('A')], taken)];
    expect(await appendMembers(answering('', '({3},{0},,{-1})'), members, false)).toEqual([
      { kind: 'ahead' },
    ]);
  });

  it.each([
    ['the tags of events', [toMember([tagged('A'), part('B')])], [['x'], null, 0]],
    ['those and a tag of each filter', [toMember([tagged('A')], taken)], [['x'], ['x'], 1]],
    ['everything for a filter without tags', [toMember([part('A')], { filter: [{}], after })], [[], null, 2]],
    [
      'everything for a condition beside very many tags',
      [toMember([tagged('A')], taken), ...Array.from({ length: 128 }, (_, index) => manyTags(`y${index}`))],
      [['x', ...Array.from({ length: 128 }, (_, index) => `y${index}`)], ['x'], 2],
    ],
  ])('lock %s', async (_what, members, locks) => {
    const outcomes = members.flatMap(({ parts }) => parts.map(() => 0)).join();
    await appendMembers(answering('', `("{${outcomes}}","{${outcomes}}","{${outcomes}}",)`), members, false);
    const [shared, exclusive, scope] = asked[0]!.slice(-3);
    expect([valuesIn(shared), valuesIn(exclusive), scope]).toEqual(locks);
  });

  function manyTags(tag: string): AppendMember {
    const [{ commits, ...rest }] = [tagged(tag)];
    const [commit] = commits;
    return toMember([
      {
        ...rest,
        commits: [{ ...commit!, events: commit!.events.map((event) => ({ ...event, tags: [tag] })) }],
      },
    ]);
  }

  function valuesIn(value: SqlValue | undefined): unknown {
    return (value as SqlArray | null)?.values ?? value;
  }
});
