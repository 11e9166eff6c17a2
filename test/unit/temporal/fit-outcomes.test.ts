import { expect, it } from 'vitest';
import { DomainError } from '../../../src/core/index.js';
import { fitOutcomes } from '../../../src/temporal/activities/commands/fit-outcomes.js';
import type { CommandOutcome } from '../../../src/temporal/shared/command-lane.js';
import { fromErrorMessage, toErrorMessage } from '../../../src/temporal/shared/error-message.js';

const committed: CommandOutcome = {
  kind: 'committed',
  version: 1,
  position: 1,
  types: ['A'],
  eventIds: ['5f0c1c52-6f0e-5d0c-8f8e-3c1f4a6f0b7d'],
  deduplicated: false,
};

function rejected(message: string, details: Record<string, string> = {}): CommandOutcome {
  return { kind: 'rejected', error: toErrorMessage(new DomainError(message, { reason: 'NO', details })) };
}

it('leaves what fits as it is', () => {
  const outcomes = [rejected('x'.repeat(400_000), { text: 'x'.repeat(400_000) }), committed];
  expect(fitOutcomes(outcomes)).toBe(outcomes);
});

it('cuts only what takes more than its share', () => {
  const small = rejected('No', { text: 'short' });
  const [first, second, third] = fitOutcomes([small, rejected('x'.repeat(2_000_000)), committed]);
  expect([first, third]).toEqual([small, committed]);
  if (second?.kind !== 'rejected') throw new Error('not rejected');
  const error = fromErrorMessage(second.error);
  expect(error).toMatchObject({ code: 'DOMAIN_ERROR', reason: 'NO' });
  expect(error.message).toMatch(/^x{10000,} … \(cut, of 2000000 characters\)$/);
});

it.each([1, 64, 500])('makes %i errors fit, whatever they say', (count) => {
  for (const character of ['x', 'é', '€', '😀', '\u0001', '"']) {
    const text = character.repeat(600_000 / count);
    const fitted = fitOutcomes(Array.from({ length: count }, () => rejected(text, { text })));
    expect(Buffer.byteLength(JSON.stringify(fitted))).toBeLessThan(1_000_000);
  }
});
