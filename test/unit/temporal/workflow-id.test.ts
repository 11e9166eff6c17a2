import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { aggregateLaneId, overflowLaneId, shardLaneId } from '../../../src/temporal/shared/command-lane.js';
import { projectionWorkflowId } from '../../../src/temporal/shared/projection-requests.js';
import { joinNames, workflowIdOf } from '../../../src/temporal/shared/workflow-id.js';

/** Names of little but what could be mistaken for the sign between them. */
const name = fc.string({
  unit: fc.constantFrom('q', '/', '%', '2', 'F', '5', 'é'),
  minLength: 1,
  maxLength: 6,
});
const names = fc.array(name, { minLength: 1, maxLength: 4 });

describe('names that are joined to an id', () => {
  it('are joined to the same id by no other names', () => {
    fc.assert(
      fc.property(names, names, (some, others) => {
        expect(joinNames(...some) === joinNames(...others)).toBe(
          JSON.stringify(some) === JSON.stringify(others),
        );
      }),
      { numRuns: 2_000 },
    );
  });

  it('can be read in it', () => {
    expect(workflowIdOf('projection', 'payments', 'Umsätze je Tag')).toBe(
      'event-store/projection/payments/Umsätze je Tag',
    );
  });

  it('are hashed where they are too long for the server, each to an id of their own', () => {
    const long = 'q/'.repeat(120);
    const ids = [
      workflowIdOf('projection', long, 'x'),
      workflowIdOf('projection', long.slice(0, -1), '/x'),
      workflowIdOf('projection', long, 'y'),
      workflowIdOf('commands', long, 'x'),
    ];
    for (const id of ids) expect(id).toMatch(/^event-store\/(projection|commands)\/[\da-f-]{36}$/);
    expect(new Set(ids).size).toBe(ids.length);
  });
});

it.each([
  ['a projection', projectionWorkflowId('q', 'eu/x'), projectionWorkflowId('q/eu', 'x')],
  [
    'a lane of an aggregate',
    aggregateLaneId('q', 'Account', 'Account/x'),
    aggregateLaneId('q/Account', 'Account', 'x'),
  ],
  ['a lane of a category', shardLaneId('q', 'A', '1', 2), shardLaneId('q/A', 'A', '1', 2)],
  [
    'an overflow lane',
    overflowLaneId(aggregateLaneId('q', 'A', 'A/x'), 3),
    overflowLaneId(aggregateLaneId('q/A', 'A', 'x'), 3),
  ],
])('tells %s from that of another task queue', (_what, one, other) => {
  expect(one).not.toBe(other);
});
