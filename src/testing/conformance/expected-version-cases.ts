import { errorOf, event, events, versionsOf, type Suite } from './suite.js';

export function describeExpectedVersion({ describe, it, expect }: Suite): void {
  describe('expected version', () => {
    for (const { given, expected, goesThrough } of [
      { given: 0, expected: 'noStream', goesThrough: true },
      { given: 0, expected: 0, goesThrough: true },
      { given: 0, expected: 'any', goesThrough: true },
      { given: 0, expected: 'streamExists', goesThrough: false },
      { given: 0, expected: 1, goesThrough: false },
      { given: 2, expected: 2, goesThrough: true },
      { given: 2, expected: 'any', goesThrough: true },
      { given: 2, expected: 'streamExists', goesThrough: true },
      { given: 2, expected: 1, goesThrough: false },
      { given: 2, expected: 3, goesThrough: false },
      { given: 2, expected: 0, goesThrough: false },
      { given: 2, expected: 'noStream', goesThrough: false },
    ] as const) {
      it(`${goesThrough ? 'accepts' : 'refuses'} ${expected} on a stream of ${given} events`, async (store, category) => {
        const streamId = `${category}-1`;
        if (given > 0) await store.appendToStream(streamId, events(given));
        const append = store.appendToStream(streamId, [event()], { expectedVersion: expected });
        if (goesThrough) {
          expect(await append).toMatchObject({ version: given + 1 });
        } else {
          expect(await errorOf(append)).toMatchObject({
            code: 'VERSION_CONFLICT',
            streamId,
            expectedVersion: expected,
            actualVersion: given,
          });
        }
        expect((await store.readStream(streamId)).version).toBe(goesThrough ? given + 1 : given);
      });
    }

    for (const expectedVersion of ['noStream', 3] as const) {
      it(`lets one of eight racers through that expect ${expectedVersion}`, async (store, category) => {
        const streamId = `${category}-1`;
        const before = expectedVersion === 'noStream' ? 0 : expectedVersion;
        if (before > 0) await store.appendToStream(streamId, events(before));
        const outcomes = await Promise.allSettled(
          Array.from({ length: 8 }, () => store.appendToStream(streamId, events(2), { expectedVersion })),
        );

        expect(outcomes.filter((outcome) => outcome.status === 'fulfilled').length).toBe(1);
        for (const outcome of outcomes) {
          if (outcome.status === 'rejected') {
            expect(outcome.reason).toMatchObject({ code: 'VERSION_CONFLICT' });
          }
        }
        expect((await store.readStream(streamId)).version).toBe(before + 2);
      });
    }

    it('keeps the events of concurrent appends together and in order', async (store, category) => {
      const streamId = `${category}-1`;
      await Promise.all(Array.from({ length: 12 }, () => store.appendToStream(streamId, events(3))));
      const slice = await store.readStream(streamId);

      expect(versionsOf(slice)).toEqual(Array.from({ length: 36 }, (_, index) => index + 1));
      for (let first = 0; first < 36; first += 3) {
        const commit = slice.events.slice(first, first + 3);
        expect(new Set(commit.map((each) => each.commitId)).size).toBe(1);
        expect(commit.map((each) => (each.data as { number: number }).number)).toEqual([1, 2, 3]);
      }
    });
  });
}
