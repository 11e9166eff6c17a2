import { MemoryEventStore } from 'temporal-event-store/memory';
import { expect, it } from 'vitest';
import { deposited } from '../fixtures/account.js';

it.each([
  ['noStream', 2, 'expected not to exist, but it is at version 2'],
  ['streamExists', 0, 'expected to exist, but it does not exist'],
  [3, 2, 'expected to be at version 3, but it is at version 2'],
  [1, 0, 'expected to be at version 1, but it does not exist'],
] as const)(
  'a conflict with the expected version %s at version %i says how it is',
  async (expected, actual, says) => {
    const store = new MemoryEventStore();
    for (let version = 1; version <= actual; version++) {
      await store.appendToStream('Account-1', [deposited(1)]);
    }
    const append = store.appendToStream('Account-1', [deposited(1)], { expectedVersion: expected });
    await expect(append).rejects.toMatchObject({
      code: 'VERSION_CONFLICT',
      message: expect.stringContaining(says) as unknown,
    });
  },
);
