import { describe, expect, it } from 'vitest';
import type { SettledPosition } from '../../../src/core/store/event-store.js';
import { batchArrays, batchParameters } from '../../../src/sql/append/append-arrays.js';
import { singleParameters } from '../../../src/sql/append/append-batch.js';
import { toMember, type AppendMember, type AppendPart } from '../../../src/sql/append/append-member.js';
import appendConditions from '../../../src/sql/migrations/0002_append_conditions.sql';
import type { SqlArray } from '../../../src/sql/sql-port.js';

/** A commit of so many events. */
function commit(commitId: string, count = 1, mayBeStored = false): AppendPart['commits'][number] {
  return {
    commitId,
    mayBeStored,
    eventIds: Array.from({ length: count }, (_, ordinal) => `${commitId}${ordinal}`),
    events: Array.from({ length: count }, (_, ordinal) => ({
      type: `T${ordinal}`,
      schemaVersion: 1 + ordinal,
      data: `"${commitId}"`,
      metadata: '{}',
      correlationId: undefined,
      tags: [],
      occurredAt: undefined,
    })),
  };
}

function member(
  streamId: string,
  expectedVersion: AppendPart['expectedVersion'],
  ...commits: AppendPart['commits']
) {
  return toMember([{ streamId, expectedVersion, commits }]);
}

/** The parameters of a function, each with its type. */
function declaredBy(name: string): readonly { readonly parameter: string; readonly type: string }[] {
  const [, signature = ''] = new RegExp(`${name}\\(([^()]*?)\\s*out `).exec(appendConditions) ?? [];
  return Array.from(signature.matchAll(/(\w+) (\w+(?:\[\])?),/g), ([, parameter = '', type = '']) => ({
    parameter,
    type,
  }));
}

const declared = declaredBy('append_members');
const names = declared.map(({ parameter }) => parameter);

function parametersOf(members: readonly AppendMember[], isRepeated = false): Record<string, unknown> {
  const { values } = batchArrays(members, isRepeated);
  expect(values).toHaveLength(names.length);
  return Object.fromEntries(
    names.map((name, index) => {
      const value = values[index];
      return [name, (value as SqlArray | null)?.values ?? value] as const;
    }),
  );
}

it.each([
  ['append_event', singleParameters, 12],
  ['append_members', batchParameters, 32],
])('the parameters of %s stand in its order, each with its type', (name, parameters, count) => {
  const written = parameters.map(({ parameter, type }) => ({ parameter, type: type.split('::').at(-1) }));
  expect(written).toEqual(declaredBy(name));
  expect(written).toHaveLength(count);
});

describe('the parameters of a batch', () => {
  it('name streams, members, commits and events by their places, in the order of the streams', () => {
    const members = [
      member('B', 'any', commit('b', 2), commit('c', 1, true)),
      member('A', 'any', commit('a')),
      member('B', 'streamExists', commit('d', 2)),
    ];
    expect(parametersOf(members)).toEqual({
      s_ids: ['A', 'B'],
      s_counts: [1, 5],
      s_tops: null,
      p_streams: [1, 2, 2],
      p_expected: [-1, -1, -2],
      p_starts: [0, 0, 3],
      p_counts: [1, 3, 2],
      p_members: null,
      c_parts: [2],
      c_event_ids: ['c0'],
      c_are_checked: true,
      c_ids: ['a', 'b', 'c', 'd'],
      e_parts: [1, 2, 2, 2, 3, 3],
      e_commits: [1, 2, 2, 3, 4, 4],
      e_offsets: [0, -4, -3, -2, -1, 0],
      e_ids: ['a0', 'b0', 'b1', 'c0', 'd0', 'd1'],
      e_types: ['T0', 'T0', 'T1', 'T0', 'T0', 'T1'],
      e_schema_versions: [1, 1, 2, 1, 1, 2],
      e_data: ['"a"', '"b"', '"b"', '"c"', '"d"', '"d"'],
      e_metadata: ['{}', '{}', '{}', '{}', '{}', '{}'],
      e_correlation_ids: null,
      e_tags: null,
      e_occurred_at: null,
      q_members: null,
      q_after: null,
      q_store_ids: null,
      q_types: null,
      q_categories: null,
      q_tags: null,
      q_correlation_ids: null,
      d_members: null,
      d_on: null,
    });
    expect(batchArrays(members, false).places).toEqual([
      { member: 1, parts: [[{ last: 0, events: 1 }]] },
      {
        member: 0,
        parts: [
          [
            { last: -3, events: 2 },
            { last: -2, events: 1 },
          ],
        ],
      },
      { member: 2, parts: [[{ last: 0, events: 2 }]] },
    ]);
  });

  it('have what an event has of its own, and null for what others of the batch lack', () => {
    const { events, ...rest } = commit('a', 2);
    const tagged = {
      ...events[1]!,
      tags: ['x', 'a"b\\\\'],
      correlationId: 'c',
      occurredAt: '2024-01-01T00:00:00.000Z',
    };
    expect(parametersOf([member('A', 'any', { ...rest, events: [events[0]!, tagged] })])).toMatchObject({
      e_correlation_ids: [null, 'c'],
      e_tags: [null, '{"x","a\\"b\\\\\\\\"}'],
      e_occurred_at: [null, '2024-01-01 00:00:00.000+00'],
    });
  });

  it('are of the types that the function takes', () => {
    const [first] = commit('a', 1, true).events;
    const whole = { ...first!, tags: ['x'], correlationId: 'c', occurredAt: '2024-01-01T00:00:00.000Z' };
    const part = {
      streamId: 'A',
      expectedVersion: 1,
      commits: [{ ...commit('a', 1, true), events: [whole] }],
    };
    const after = { position: 0, storeId: 's' } as SettledPosition;
    const filter = { types: ['T0'], categories: ['A'], tags: ['x'], correlationId: 'c' };
    const twice = [
      toMember([part]),
      toMember([part, { ...part, streamId: 'B' }], { filter: [filter], after }),
    ];
    const { values } = batchArrays(twice, false);
    const types = values.map((value) =>
      typeof value === 'boolean' ? 'boolean' : `${(value as SqlArray).type}[]`,
    );
    // A driver can't tell what a time is; the statement does.
    expect(types).toEqual(declared.map(({ type }) => (type === 'timestamptz[]' ? 'text[]' : type)));
  });

  it.each<[what: string, members: readonly AppendMember[], tops: readonly (number | null)[] | null]>([
    ['a version', [member('A', 3, commit('a', 2))], [5]],
    ['no stream', [member('A', 'noStream', commit('a', 2))], [2]],
    ['any version', [member('A', 'any', commit('a', 2))], null],
    [
      'any stream that is there, which can not be told before',
      [member('A', 'streamExists', commit('a'))],
      [-1],
    ],
    [
      'a stream that is there, behind an event of it',
      [member('A', 'any', commit('a')), member('A', 'streamExists', commit('b'))],
      null,
    ],
    ['versions that follow each other', [member('A', 3, commit('a')), member('A', 4, commit('b'))], [5]],
    ['versions that do not', [member('A', 3, commit('a')), member('A', 3, commit('b'))], [-1]],
    [
      'a version that the batch itself exceeds',
      [member('A', 'any', commit('a', 2)), member('A', 1, commit('b'))],
      [-1],
    ],
    ['a version of one of two', [member('A', 'any', commit('a')), member('B', 3, commit('b'))], [null, 4]],
  ])('say how far a stream gets whose members expect %s', (_what, members, tops) => {
    expect(parametersOf(members)['s_tops']).toEqual(tops);
  });

  it.each<
    [
      what: string,
      members: readonly AppendMember[],
      isRepeated: boolean,
      ids: string[] | null,
      checked: boolean,
    ]
  >([
    ['none may be', [member('A', 'any', commit('a'))], false, null, false],
    ['some may be', [member('A', 'any', commit('a'), commit('b', 1, true))], false, ['b0'], true],
    ['some may be where a version tells', [member('A', 1, commit('a', 1, true))], false, ['a0'], false],
    [
      'all may be since they are sent again',
      [member('A', 1, commit('a', 2), commit('b'))],
      true,
      ['a0', 'b0'],
      true,
    ],
  ])(
    'say what is looked for, where of what is stored already %s',
    (_what, members, isRepeated, ids, checked) => {
      expect(parametersOf(members, isRepeated)).toMatchObject({ c_event_ids: ids, c_are_checked: checked });
    },
  );
});
