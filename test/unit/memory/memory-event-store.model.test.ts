import fc from 'fast-check';
import {
  findEventStoreError,
  type DomainEvent,
  type EventStoreErrorCode,
  type ExpectedVersion,
} from 'temporal-event-store';
import { MemoryEventStore } from 'temporal-event-store/memory';
import { expect, it } from 'vitest';

/** A store as nothing but a list of events in the order of their positions. */
interface Model {
  readonly events: { readonly streamId: string; readonly commitId: string; readonly type: string }[];
}

type Command = fc.AsyncCommand<Model, MemoryEventStore>;

const streamIds = fc.constantFrom('Account-1', 'Account-2', 'Payment-1');
const commitIds = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f');
const types = fc.array(fc.constantFrom('Opened', 'Paid'), { minLength: 1, maxLength: 3 });
const expectedVersions: fc.Arbitrary<ExpectedVersion | undefined> = fc.oneof(
  fc.constantFrom('any', 'noStream', 'streamExists', undefined),
  fc.nat({ max: 12 }),
);
const commits = fc.uniqueArray(fc.record({ commitId: commitIds, types }), {
  minLength: 1,
  maxLength: 3,
  selector: ({ commitId }) => commitId,
});
const directions = fc.constantFrom('forward', 'backward');

function streamOf(model: Model, streamId: string): Model['events'] {
  return model.events.filter((event) => event.streamId === streamId);
}

function commitOf(model: Model, streamId: string, commitId: string): Model['events'] {
  return streamOf(model, streamId).filter((event) => event.commitId === commitId);
}

function isWhereExpected(version: number, expected: ExpectedVersion | undefined): boolean {
  if (expected === undefined || expected === 'any') return true;
  if (expected === 'noStream') return version === 0;
  if (expected === 'streamExists') return version > 0;
  return version === expected;
}

function store(model: Model, streamId: string, commitId: string, given: readonly string[]): void {
  model.events.push(...given.map((type) => ({ streamId, commitId, type })));
}

/** The result of a commit that the model holds. */
function resultOf(model: Model, streamId: string, commitId: string, deduplicated: boolean): object {
  const last = model.events.findLastIndex((e) => e.streamId === streamId && e.commitId === commitId);
  const version = streamOf({ ...model, events: model.events.slice(0, last + 1) }, streamId).length;
  return { streamId, commitId, version, position: last + 1, deduplicated };
}

async function outcomeOf<T>(call: Promise<T>): Promise<T | EventStoreErrorCode> {
  return call.catch((error: unknown) => {
    const found = findEventStoreError(error);
    if (found === undefined) throw error;
    return found.code;
  });
}

const toEvents = (given: readonly string[]): DomainEvent[] => given.map((type) => ({ type, data: { type } }));

function command(text: string, run: (model: Model, real: MemoryEventStore) => Promise<void>): Command {
  return { check: () => true, run, toString: () => text };
}

const appends = fc
  .record({
    streamId: streamIds,
    types,
    expected: expectedVersions,
    commitId: fc.option(commitIds, { nil: undefined }),
  })
  .map(({ streamId, types: given, expected, commitId }) =>
    command(
      `append(${streamId}, ${given.join()}, ${String(expected)}, ${String(commitId)})`,
      async (model, real) => {
        const outcome = await outcomeOf(
          real.appendToStream(streamId, toEvents(given), {
            ...(expected !== undefined && { expectedVersion: expected }),
            ...(commitId !== undefined && { commitId }),
          }),
        );
        const earlier = commitId === undefined ? [] : commitOf(model, streamId, commitId);
        if (commitId !== undefined && earlier.length > 0) {
          const isSame = given.join() === earlier.map((event) => event.type).join();
          if (isSame) expect(outcome).toMatchObject(resultOf(model, streamId, commitId, true));
          else expect(outcome).toBe('COMMIT_MISMATCH');
        } else if (isWhereExpected(streamOf(model, streamId).length, expected)) {
          const id = typeof outcome === 'object' ? outcome.commitId : '';
          store(model, streamId, id, given);
          expect(outcome).toMatchObject(resultOf(model, streamId, commitId ?? id, false));
        } else {
          expect(outcome).toBe('VERSION_CONFLICT');
        }
      },
    ),
  );

const chains = fc
  .record({ streamId: streamIds, commits, expected: expectedVersions })
  .map(({ streamId, commits: given, expected }) =>
    command(
      `appendCommits(${streamId}, ${JSON.stringify(given)}, ${String(expected)})`,
      async (model, real) => {
        const outcome = await outcomeOf(
          real.appendCommits(
            streamId,
            given.map((each) => ({ commitId: each.commitId, events: toEvents(each.types) })),
            expected === undefined ? {} : { expectedVersion: expected },
          ),
        );
        if (given.some(({ commitId }) => commitOf(model, streamId, commitId).length > 0)) {
          expect(outcome).toBe('COMMIT_EXISTS');
        } else if (isWhereExpected(streamOf(model, streamId).length, expected)) {
          for (const each of given) store(model, streamId, each.commitId, each.types);
          expect(outcome).toMatchObject(
            given.map(({ commitId }) => resultOf(model, streamId, commitId, false)),
          );
        } else {
          expect(outcome).toBe('VERSION_CONFLICT');
        }
      },
    ),
  );

const streamReads = fc
  .record({
    streamId: streamIds,
    from: fc.option(fc.integer({ min: 1, max: 15 }), { nil: undefined }),
    to: fc.option(fc.nat({ max: 15 }), { nil: undefined }),
    limit: fc.integer({ min: 1, max: 6 }),
    direction: directions,
  })
  .map(({ streamId, from, to, limit, direction }) =>
    command(
      `readStream(${streamId}, ${JSON.stringify({ from, to, limit, direction })})`,
      async (model, real) => {
        const slice = await real.readStream(streamId, {
          limit,
          direction,
          ...(from !== undefined && { fromVersion: from }),
          ...(to !== undefined && { toVersion: to }),
        });
        const stream = streamOf(model, streamId).map((event, index) => ({ ...event, version: index + 1 }));
        const [least, most] =
          direction === 'forward' ? [from ?? 1, to ?? Infinity] : [to ?? 1, from ?? Infinity];
        const inRange = stream.filter(({ version }) => version >= least && version <= most);
        if (direction === 'backward') inRange.reverse();

        expect(slice).toMatchObject({ version: stream.length, isEnd: inRange.length <= limit });
        expect(
          slice.events.map(({ version, commitId, type }) => ({ streamId, commitId, type, version })),
        ).toEqual(inRange.slice(0, limit));
      },
    ),
  );

const storeReads = fc
  .record({
    after: fc.option(fc.nat({ max: 60 }), { nil: undefined }),
    limit: fc.integer({ min: 1, max: 10 }),
    direction: directions,
    type: fc.constantFrom('Opened', undefined),
    category: fc.constantFrom('Account', undefined),
  })
  .map(({ after, limit, direction, type, category }) =>
    command(
      `readAll(${JSON.stringify({ after, limit, direction, type, category })})`,
      async (model, real) => {
        const filter = { ...(type && { types: [type] }), ...(category && { categories: [category] }) };
        const outcome = await outcomeOf(
          real.readAll({ limit, direction, filter, ...(after !== undefined && { after }) }),
        );
        if (after !== undefined && after > model.events.length) {
          expect(outcome).toBe('POSITION_AHEAD_OF_STORE');
          return;
        }
        if (typeof outcome === 'string') throw new Error(outcome);
        const isForward = direction === 'forward';
        const matching = model.events
          .map((event, index) => ({ ...event, position: index + 1 }))
          .filter(({ position }) =>
            isForward ? position > (after ?? 0) : position < (after ?? Number.POSITIVE_INFINITY),
          )
          .filter((event) => type === undefined || event.type === type)
          .filter((event) => category === undefined || event.streamId.startsWith(`${category}-`));
        if (!isForward) matching.reverse();
        const page = matching.slice(0, limit);
        const [last, next] = [page.at(-1)?.position, matching[limit]?.position];

        expect(outcome.events.map(({ position }) => position)).toEqual(page.map(({ position }) => position));
        expect(outcome.isEnd).toBe(matching.length <= limit);
        // Not before the last event of the page, and not past the first of the next.
        const sign = isForward ? 1 : -1;
        if (last !== undefined) expect(sign * (outcome.position - last)).toBeGreaterThanOrEqual(0);
        if (next !== undefined) expect(sign * (next - outcome.position)).toBeGreaterThan(0);
      },
    ),
  );

const lookups = fc.record({ streamId: streamIds, commitId: commitIds }).map(({ streamId, commitId }) =>
  command(`findCommit(${streamId}, ${commitId})`, async (model, real) => {
    const found = await real.findCommit(streamId, commitId);
    if (commitOf(model, streamId, commitId).length === 0) expect(found).toBeUndefined();
    else expect(found).toMatchObject(resultOf(model, streamId, commitId, true));
  }),
);

it('does what a plain list of events does, for any sequence of commands', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.commands([appends, appends, chains, streamReads, storeReads, lookups], {
        maxCommands: 50,
        size: 'max',
      }),
      async (sequence) => {
        await fc.asyncModelRun(() => ({ model: { events: [] }, real: new MemoryEventStore() }), sequence);
      },
    ),
    { numRuns: 1000 },
  );
}, 30_000);
