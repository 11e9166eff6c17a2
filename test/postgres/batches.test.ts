import fc from 'fast-check';
import { EventStoreError, type EventStore, type ExpectedVersion } from 'temporal-event-store';
import { MemoryEventStore } from 'temporal-event-store/memory';
import { describe, expect, test } from 'vitest';
import { usePGliteStore } from '../support/pglite.js';
import { usePostgresStore } from '../support/postgres-store.js';

interface Append {
  readonly stream: number;
  readonly events: number;
  readonly expectedVersion: ExpectedVersion;
  /** A few ids for many appends: some are repeated, some of those with other events. */
  readonly commit: number | undefined;
}

const appends = fc.array(
  fc.record<Append>({
    stream: fc.integer({ min: 0, max: 4 }),
    // Mostly one: a few of those go in a statement of their own.
    events: fc.oneof({ weight: 3, arbitrary: fc.constant(1) }, fc.integer({ min: 2, max: 3 })),
    expectedVersion: fc.oneof(
      fc.constantFrom<ExpectedVersion>('any', 'noStream', 'streamExists'),
      fc.integer({ min: 0, max: 8 }),
    ),
    commit: fc.option(fc.integer({ min: 0, max: 9 }), { nil: undefined }),
  }),
  { minLength: 1, maxLength: 24 },
);

/** All in one turn of the event loop, so that they go in the same batches; what each answered, without its position. */
async function appendAtOnce(store: EventStore, run: number, batch: readonly Append[]): Promise<unknown[]> {
  return Promise.all(
    batch.map(async ({ stream, events, expectedVersion, commit }) => {
      const given = Array.from({ length: events }, (_, place) => ({
        type: 'Added',
        data: { events, place },
      }));
      try {
        const { version, deduplicated } = await store.appendToStream(`Run-${run}_${stream}`, given, {
          expectedVersion,
          ...(commit !== undefined && { commitId: `commit-${commit}` }),
        });
        return { version, deduplicated };
      } catch (error) {
        if (!(error instanceof EventStoreError)) throw error;
        return error.code;
      }
    }),
  );
}

/** The versions of each stream with their content, in the order of positions. */
async function storedIn(store: EventStore, run: number): Promise<unknown[]> {
  return Promise.all(
    [0, 1, 2, 3, 4].map(async (stream) => {
      const { events } = await store.readStream(`Run-${run}_${stream}`);
      expect(events.map(({ position }) => position)).toEqual(
        events.map(({ position }) => position).sort((a, b) => a - b),
      );
      return events.map(({ version, data }) => [version, data]);
    }),
  );
}

let run = 0;

/** Each stream sees its appends in the order of the calls, whatever shares a batch with them: as one after the other. */
async function behavesAsOneByOne(store: EventStore, numRuns: number): Promise<void> {
  await fc.assert(
    fc.asyncProperty(fc.array(appends, { minLength: 1, maxLength: 3 }), async (batches) => {
      const model = new MemoryEventStore();
      run++;
      for (const batch of batches) {
        expect(await appendAtOnce(store, run, batch)).toEqual(await appendAtOnce(model, run, batch));
      }
      expect(await storedIn(store, run)).toEqual(await storedIn(model, run));
    }),
    { numRuns },
  );
}

describe('appends that share their batches', () => {
  test('end as they would one after the other, on a server', async () => {
    const { store } = await usePostgresStore();
    await behavesAsOneByOne(store, 150);
  });

  test('end as they would one after the other, in PGlite', async () => {
    const store = await usePGliteStore();
    await behavesAsOneByOne(store, 40);
  });
});
