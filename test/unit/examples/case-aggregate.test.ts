import { expect, it } from 'vitest';
import { CaseAggregate } from '../../../examples/event-log/case-aggregate.js';

it('a case is what its events tell', () => {
  const event = (type: string, day: number, resource?: string) => ({
    type,
    occurredAt: `2024-01-0${day}T00:00:00.000Z`,
    data: { attributes: {}, ...(resource && { resource }) },
  });
  const replayed = CaseAggregate.fromEvents('c1', [
    event('Open', 1, 'Ann'),
    event('Check', 2),
    event('Check', 3, 'Bo'),
    event('Close', 4, 'Ann'),
  ]);
  expect(replayed.version).toBe(4);
  expect(replayed.toSnapshot()).toEqual({
    events: 4,
    activities: ['Open', 'Check', 'Check', 'Close'],
    resources: ['Ann', 'Bo'],
    firstEventAt: '2024-01-01T00:00:00.000Z',
    lastEventAt: '2024-01-04T00:00:00.000Z',
  });
});
