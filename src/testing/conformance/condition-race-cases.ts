import type { EventToAppend, RecordedEvent } from '../../core/events/event.js';
import type { AllSlice, EventFilter } from '../../core/store/event-store.js';
import { endOf, isThrough, readOn, settledOf, tagged, ways } from './conditional-appends.js';
import { currentVersions, event, having, outcomesOf, turn, type Suite } from './suite.js';

const racers = [0, 1, 2, 3, 4, 5, 6, 7] as const;

/** Every other racer appends to a stream, and every other to several. */
const wayOf = (racer: number): (typeof ways)[number] => ways[racer % 2 === 0 ? 0 : 1];

const taken = (category: string): EventToAppend => ({
  ...event(`${category}Taken`),
  tags: [`${category}/a`, `${category}/b`],
  metadata: { correlationId: `${category}/k` },
});

const contested: readonly (readonly [
  what: string,
  filterOf: (category: string) => EventFilter | readonly EventFilter[],
])[] = [
  ['a tag', (c) => ({ tags: [`${c}/a`] })],
  ['two tags', (c) => ({ tags: [`${c}/b`, `${c}/a`] })],
  ['a type', (c) => ({ types: [`${c}Taken`] })],
  ['a category', (c) => ({ categories: [c] })],
  ['a correlation id', (c) => ({ correlationId: `${c}/k` })],
  ['any of two filters', (c) => [{ tags: [`${c}/x`] }, { types: [`${c}Taken`], tags: [`${c}/b`] }]],
];

/** A commit that was appended under a condition. */
interface Conditional {
  readonly after: number;
  readonly commitId: string;
}

/** The events of the log that the commit depends on and has not read. */
function missedBy({ after, commitId }: Conditional, log: readonly RecordedEvent[]): readonly RecordedEvent[] {
  const first = log.findIndex((each) => each.commitId === commitId);
  return log.slice(0, first).filter(({ position }) => position > after);
}

export function describeConditionRaces({ describe, it, expect }: Suite): void {
  describe('append conditions among racers', () => {
    for (const [what, filterOf] of contested) {
      it(`let one of eight through that depend on ${what}`, async (store, category) => {
        const condition = { filter: filterOf(category), after: await endOf(store, category) };
        const streamIds = racers.map((racer) => `${category}-${racer}`);
        const { results, errors } = await outcomesOf(
          racers.map((racer) =>
            wayOf(racer).append(store, `${category}-${racer}`, [taken(category)], { condition }),
          ),
        );
        expect([results.length, errors.length]).toEqual([1, 7]);
        const winner = results[0]?.streamId;
        for (const error of errors) {
          expect(error).toMatchObject({ code: 'APPEND_CONDITION_FAILED', conflict: { streamId: winner } });
        }
        const versions = streamIds.map((streamId) => (streamId === winner ? 1 : 0));
        expect(await currentVersions(store, streamIds)).toEqual(versions);
      });
    }

    it('let one of eight through that depend on every event, unless another append came first', async (store, category) => {
      const after = await endOf(store, category);
      const { position } = settledOf(after);
      const { results, errors } = await outcomesOf(
        racers.map((racer) =>
          wayOf(racer).append(store, `${category}-${racer}`, [event()], {
            commitId: `racer-${racer}`,
            condition: { filter: {}, after },
          }),
        ),
      );
      const { events: log } = await readOn(store, {}, after);
      // Other cases may append meanwhile. Whoever came first, the log says so.
      const hasWon = log[0]?.streamId.startsWith(`${category}-`) === true;
      expect([results.length, errors.length]).toEqual(hasWon ? [1, 7] : [0, 8]);
      expect(log.length > 0).toBe(true);
      if (hasWon) expect(log[0]?.streamId).toBe(results[0]?.streamId);
      for (const error of errors) {
        expect(error).toMatchObject({ code: 'APPEND_CONDITION_FAILED', after: position });
        const { conflict } = error as { readonly conflict: { readonly id: string } };
        expect(log.some(({ id }) => id === conflict.id)).toBe(true);
      }
    });

    it('let all of eight through that depend on tags of their own', async (store, category) => {
      const after = await endOf(store, category);
      const results = await Promise.all(
        racers.map((racer) => {
          const tag = `${category}/${racer}`;
          const condition = { filter: { tags: [tag] }, after };
          return wayOf(racer).append(store, `${category}-${racer}`, [tagged(tag)], { condition });
        }),
      );
      expect(results.filter(({ deduplicated }) => !deduplicated).length).toBe(8);
      const streamIds = racers.map((racer) => `${category}-${racer}`);
      expect(await currentVersions(store, streamIds)).toEqual(racers.map(() => 1));
    });

    it('let one of two sides through that exclude each other', async (store, category) => {
      const after = await endOf(store, category);
      const { results, errors } = await outcomesOf(
        racers.map((racer) => {
          const [own, other] = racer % 2 === 0 ? ['black', 'white'] : ['white', 'black'];
          return store.appendToStream(`${category}-${racer}`, [tagged(`${category}/${own}`)], {
            condition: { filter: { tags: [`${category}/${other}`] }, after },
          });
        }),
      );
      expect([results.length, errors.length]).toEqual([4, 4]);
      for (const error of errors) expect(error).toMatchObject({ code: 'APPEND_CONDITION_FAILED' });
      const { events: found } = await readOn(store, { categories: [category] });
      expect([found.length, new Set(found.map(({ tags }) => tags[0])).size]).toEqual([4, 1]);
    });

    it('let one of four through whose events have 200 tags', async (store, category) => {
      const tags = Array.from({ length: 200 }, (_, index) => `${category}/${index}`);
      const after = await endOf(store, category);
      const { results, errors } = await outcomesOf(
        [0, 1, 2, 3].map((racer) => {
          const condition = { filter: { tags: tags.slice(50 * racer, 50 * racer + 1) }, after };
          return store.appendToStream(`${category}-${racer}`, [tagged(...tags)], { condition });
        }),
      );
      expect([results.length, errors.length]).toEqual([1, 3]);
      for (const error of errors) expect(error).toMatchObject({ code: 'APPEND_CONDITION_FAILED' });
    });

    it('let appends through beside them that they have nothing to do with', async (store, category) => {
      const condition = { filter: { tags: [`${category}/a`] }, after: await endOf(store, category) };
      const others = [0, 1, 2, 3];
      await Promise.all([
        store.appendToStream(`${category}-1`, [tagged(`${category}/a`)], { condition }),
        ...others.map(() => store.appendToStream(`${category}-1`, [event()])),
        ...others.map((index) => store.appendToStream(`${category}-2`, [tagged(`${category}/${index}`)])),
      ]);
      expect(await currentVersions(store, [`${category}-1`, `${category}-2`])).toEqual([5, 4]);
    });

    it('append nothing to any stream for those that are refused', async (store, category) => {
      const condition = { filter: { tags: [`${category}/a`] }, after: await endOf(store, category) };
      const shared = `${category}-shared`;
      await store.appendToStream(shared, [event()]);
      const { results } = await outcomesOf(
        racers.map((racer) =>
          having(store, 'appendToStreams')(
            [
              { streamId: shared, events: [event()] },
              { streamId: `${category}-${racer}`, events: [event(), tagged(`${category}/a`)] },
            ],
            { commitId: `racer-${racer}`, condition },
          ),
        ),
      );
      expect(results.length).toBe(1);
      const streamIds = racers.map((racer) => `${category}-${racer}`);
      const winner = results[0]?.parts[1]?.streamId;
      const versions = streamIds.map((streamId) => (streamId === winner ? 2 : 0));
      expect(await currentVersions(store, [shared, ...streamIds])).toEqual([2, ...versions]);
    });

    it('give five seats to five of twelve that read on and try again', async (store, category) => {
      const filter = { types: [`${category}SeatTaken`], tags: [`${category}/room`] };
      const takeSeat = async (racer: number): Promise<boolean> => {
        let count = 0;
        for (let after: AllSlice | undefined; ;) {
          const { events: found, last } = await readOn(store, filter, after);
          count += found.length;
          if (count >= 5) return false;
          after = last;
          const seat = { ...event(`${category}SeatTaken`), tags: filter.tags };
          const condition = { filter, after };
          if (await isThrough(store.appendToStream(`${category}-${racer}`, [seat], { condition }))) {
            return true;
          }
        }
      };
      const seated = await Promise.all(Array.from({ length: 12 }, (_, racer) => takeSeat(racer)));
      expect(seated.filter((isSeated) => isSeated).length).toBe(5);
      const { events: seats } = await readOn(store, filter);
      expect(seats.map(({ version }) => version)).toEqual([1, 1, 1, 1, 1]);
    });

    it('leave nothing between what an append has read and itself, also beside appends without conditions', async (store, category) => {
      const filter = { tags: [`${category}/a`] };
      const conditionals: Conditional[] = [];
      const rival = async (streamId: string): Promise<void> => {
        await turn();
        await store.appendToStream(streamId, [tagged(...filter.tags)]);
      };
      const depend = async (racer: number): Promise<void> => {
        let after: AllSlice | undefined;
        for (let [attempt, round] = [0, 0]; round < 2; attempt++) {
          after = (await readOn(store, filter, after)).last;
          const given = [event(), tagged(...filter.tags), tagged(...filter.tags)];
          const options = { commitId: `${racer}-${round}`, condition: { filter, after } };
          const [hasWon] = await Promise.all([
            isThrough(wayOf(racer).append(store, `${category}-${racer}`, given, options)),
            attempt < 2 ? rival(`${category}-plain-${racer}`) : undefined,
          ]);
          if (!hasWon) continue;
          conditionals.push({ after: settledOf(after).position, commitId: options.commitId });
          round++;
        }
      };
      await Promise.all([0, 1, 2].map(depend));

      const { events: log } = await readOn(store, filter);
      expect([log.length, conditionals.length]).toEqual([18, 6]);
      for (const conditional of conditionals) expect(missedBy(conditional, log)).toEqual([]);
    });
  });
}
