import { describe, expect, it } from 'vitest';
import { minimalExpect } from '../support/minimal-expect.js';
import { conformanceCases } from '../unit/testing/conformance-cases.js';
import { sloppyStores } from '../unit/testing/sloppy-stores/index.js';

/** Milliseconds that a case may take here: the machine may do much else. */
const timeout = 2_000;

describe('the whole conformance suite', () => {
  it.each(sloppyStores.map((store) => [store.defect, store] as const))(
    'ends on a store that %s, and tells of it',
    { timeout: 30_000 },
    async (_defect, { change, failsIn }) => {
      const cases = conformanceCases(change, minimalExpect, timeout);
      const outcomes = await Promise.allSettled(cases.map(({ run }) => run()));
      const failed = cases
        .filter((_, index) => outcomes[index]?.status === 'rejected')
        .map(({ name }) => name);
      expect(failed).toContain(failsIn);
    },
  );
});
