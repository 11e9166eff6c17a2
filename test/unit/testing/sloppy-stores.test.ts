import { describe, expect, it } from 'vitest';
import { minimalExpect } from '../../support/minimal-expect.js';
import { conformanceCases } from './conformance-cases.js';
import { sloppyStores } from './sloppy-stores/index.js';
import type { Change } from './sloppy-stores/sloppy-store.js';

/** Why the case of this name fails on such a store; undefined when it passes. */
async function whyFails(change: Change, name: string, timeout?: number): Promise<string | undefined> {
  const named = conformanceCases(change, minimalExpect, timeout).filter((each) => each.name === name);
  expect(named.map((each) => each.name)).toEqual([name]);
  return named[0]!.run().then(
    () => undefined,
    (error: unknown) => (error as Error).message,
  );
}

describe('the conformance suite', () => {
  it.each(sloppyStores.map((store) => [store.defect, store] as const))(
    'catches a store that %s',
    async (_defect, { change, failsIn, because, timeout }) => {
      expect(await whyFails(change, failsIn, timeout)).toMatch(because);
      expect(await whyFails(() => ({}), failsIn)).toBe(undefined);
    },
  );

  it('has controls that differ', () => {
    expect(new Set(sloppyStores.map(({ defect }) => defect)).size).toBe(sloppyStores.length);
  });
});
