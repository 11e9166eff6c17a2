import type { RecordedEvent } from 'temporal-event-store';
import { expect, it } from 'vitest';
import { ReactionWarnings } from '../../../src/temporal/activities/reactions/reaction-warnings.js';

const minute = 60_000;

it('a reaction that seems to feed itself is warned of once a minute, and as long as it goes on', () => {
  let now = 0;
  const said: unknown[][] = [];
  const silent = (): void => undefined;
  const logger = {
    debug: silent,
    info: silent,
    warn: (...entry: unknown[]) => said.push(entry),
    error: silent,
  };
  const warnings = new ReactionWarnings(logger, () => now);
  const event = { id: 'event-1', type: 'Paid', streamId: 'Payment-1' } as RecordedEvent;
  const note = (depth: number): void => {
    warnings.note({ reaction: 'circle', event, place: '0', depth });
  };
  note(9);
  expect(warnings.of('circle')).toBeUndefined();
  note(10);
  expect(warnings.of('circle')).toContain('10 reactions led to its command');
  expect(warnings.of('other')).toBeUndefined();
  now += minute - 1;
  note(11);
  expect(said).toEqual([
    [
      'A reaction seems to feed itself',
      { reaction: 'circle', depth: 10, eventId: 'event-1', type: 'Paid', streamId: 'Payment-1' },
    ],
  ]);
  now += 1;
  note(12);
  expect(said).toHaveLength(2);
  now += 5 * minute;
  expect(warnings.of('circle')).toBeUndefined();
});
