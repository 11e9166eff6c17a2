import type { EventToAppend } from '../../core/events/event.js';
import type { AllSlice, AppendCondition, EventFilter } from '../../core/store/event-store.js';
import { besideOf, endOf, readOn, settledOf, tagged, ways } from './conditional-appends.js';
import { currentVersions, errorOf, event, events, having, outcomesOf, type Suite } from './suite.js';

/** What was appended meanwhile. */
const paid = (category: string): EventToAppend => ({
  ...event(`${category}Paid`),
  tags: [`${category}/a`, `${category}/b`],
  metadata: { correlationId: `${category}/k` },
});

type FilterOf = (category: string) => EventFilter | readonly EventFilter[];

/** By what a filter takes the event. */
const taking: readonly (readonly [how: string, filterOf: FilterOf])[] = [
  ['its type', (c) => ({ types: [`${c}Paid`] })],
  ['one of several types', (c) => ({ types: [`${c}Never`, `${c}Paid`] })],
  ['its category', (c) => ({ categories: [c] })],
  ['one of several categories', (c) => ({ categories: [`${c}y`, c] })],
  ['its tag', (c) => ({ tags: [`${c}/a`] })],
  ['all of its tags', (c) => ({ tags: [`${c}/b`, `${c}/a`] })],
  ['its correlation id', (c) => ({ correlationId: `${c}/k` })],
  [
    'type, category, tag and correlation id',
    (c) => ({ types: [`${c}Paid`], categories: [c], tags: [`${c}/a`], correlationId: `${c}/k` }),
  ],
  ['the last of several filters', (c) => [{ types: [`${c}Never`] }, { tags: ['x'] }, { tags: [`${c}/a`] }]],
];

/** Why a filter does not take the event. */
const leaving: readonly (readonly [why: string, filterOf: FilterOf])[] = [
  ['another type', (c) => ({ types: [`${c}Never`] })],
  ['another category', (c) => ({ categories: [`${c}y`] })],
  ['another tag', (c) => ({ tags: [`${c}/x`] })],
  ['only one of two tags', (c) => ({ tags: [`${c}/a`, `${c}/x`] })],
  ['another correlation id', (c) => ({ correlationId: `${c}/x` })],
  ['the type, but another tag', (c) => ({ types: [`${c}Paid`], tags: [`${c}/x`] })],
  ['the tag, but another type', (c) => ({ types: [`${c}Never`], tags: [`${c}/a`] })],
  ['the tag, but another category', (c) => ({ categories: [`${c}y`], tags: [`${c}/a`] })],
  ['the tag, but another correlation id', (c) => ({ correlationId: `${c}/x`, tags: [`${c}/a`] })],
  ['the correlation id as a tag', (c) => ({ correlationId: `${c}/a` })],
  ['the tag as its correlation id', (c) => ({ tags: [`${c}/k`] })],
  ['the tag in other letters', (c) => ({ tags: [`${c}/A`] })],
  [
    'only a part of each of two filters',
    (c) => [
      { types: [`${c}Paid`], tags: [`${c}/x`] },
      { categories: [`${c}y`], tags: [`${c}/a`] },
    ],
  ],
];

export function describeAppendConditions({ describe, it, expect }: Suite): void {
  describe('append conditions', () => {
    for (const { call, append, eventsBeside } of ways) {
      for (const [how, filterOf] of taking) {
        it(`refuses ${call} when the filter takes an event by ${how} that was appended meanwhile`, async (store, category) => {
          const target = `${category}target-1`;
          const after = await endOf(store, category);
          const { streamId, position, eventIds } = await store.appendToStream(`${category}-1`, [
            paid(category),
          ]);
          const condition = { filter: filterOf(category), after };
          const error = await errorOf(append(store, target, events(2), { condition }));
          const { position: known } = settledOf(after);
          expect(error).toMatchObject({ code: 'APPEND_CONDITION_FAILED', after: known });
          const { conflict } = error as Conflict;
          expect(conflict).toEqual({ position, streamId, type: `${category}Paid`, id: eventIds[0] });
          expect(await currentVersions(store, [target, besideOf(target)])).toEqual([0, 0]);
        });
      }

      for (const [why, filterOf] of leaving) {
        it(`lets ${call} through when the event that was appended meanwhile has ${why}`, async (store, category) => {
          const target = `${category}target-1`;
          const after = await endOf(store, category);
          await store.appendToStream(`${category}-1`, [paid(category)]);
          const condition = { filter: filterOf(category), after };
          expect(await append(store, target, events(2), { condition })).toMatchObject({
            streamId: target,
            version: 2,
            deduplicated: false,
          });
          expect(await currentVersions(store, [target, besideOf(target)])).toEqual([2, eventsBeside]);
        });
      }

      it(`refuses ${call} after any event, when the filter takes every event`, async (store, category) => {
        const target = `${category}target-1`;
        const after = await endOf(store, category);
        await store.appendToStream(`${category}-1`, [event()]);
        const error = await errorOf(append(store, target, [event()], { condition: { filter: {}, after } }));
        // The event in the way may be of another case.
        const { position } = settledOf(after);
        expect(error).toMatchObject({ code: 'APPEND_CONDITION_FAILED', after: position });
        expect(((error as Conflict).conflict.position ?? Infinity) > position).toBe(true);
        expect(await currentVersions(store, [target, besideOf(target)])).toEqual([0, 0]);
      });

      it(`lets ${call} through when such events were appended before, up to the position itself`, async (store, category) => {
        const filter = { tags: [`${category}/a`] };
        for (const streamId of [`${category}-1`, `${category}-2`]) {
          await store.appendToStream(streamId, [tagged(...filter.tags)]);
        }
        const condition = { filter, after: await endOf(store, category) };
        expect(await append(store, `${category}-1`, [tagged(...filter.tags)], { condition })).toMatchObject({
          version: 2,
          deduplicated: false,
        });
      });

      it(`does not count the own events of ${call}, but those of the one before`, async (store, category) => {
        const condition = { filter: { tags: [`${category}/a`] }, after: await endOf(store, category) };
        const [one, other] = [`${category}-1`, `${category}-2`];
        const given = [tagged(`${category}/a`), tagged(`${category}/a`)];
        const { eventIds } = await append(store, one, given, { condition });
        const error = await errorOf(append(store, other, given, { condition }));
        expect(error).toMatchObject({ code: 'APPEND_CONDITION_FAILED', conflict: { streamId: one } });
        expect(eventIds.includes((error as Conflict).conflict.id)).toBe(true);
        expect(await currentVersions(store, [one, other])).toEqual([2, 0]);
      });

      it(`lets ${call} through once its caller has read on and decided again`, async (store, category) => {
        const filter = { tags: [`${category}/a`] };
        const { last: after } = await readOn(store, filter);
        await store.appendToStream(`${category}-1`, [tagged(...filter.tags)]);
        const early = { commitId: 'c', condition: { filter, after } };
        const error = await errorOf(append(store, `${category}-2`, [event()], early));
        expect(error).toMatchObject({ code: 'APPEND_CONDITION_FAILED' });

        const { events: found, last } = await readOn(store, filter, after);
        expect(found.map(({ streamId }) => streamId)).toEqual([`${category}-1`]);
        const late = { commitId: 'c', condition: { filter, after: last } };
        expect(await append(store, `${category}-2`, [event('Other')], late)).toMatchObject({
          version: 1,
          deduplicated: false,
        });
      });

      it(`leaves streams and commit id of ${call} as they were when it was refused`, async (store, category) => {
        const target = `${category}target-1`;
        const condition = { filter: { tags: [`${category}/a`] }, after: await endOf(store, category) };
        await store.appendToStream(`${category}-1`, [tagged(`${category}/a`)]);
        await errorOf(append(store, target, events(2), { commitId: 'c', condition }));
        for (const streamId of [target, besideOf(target)]) {
          expect(await store.readStream(streamId)).toMatchObject({ version: 0, events: [], isEnd: true });
          expect(await store.findCommit(streamId, 'c')).toBe(undefined);
          const options = { commitId: 'c', expectedVersion: 'noStream' } as const;
          expect(await store.appendToStream(streamId, [event('Other')], options)).toMatchObject({
            version: 1,
            deduplicated: false,
          });
        }
      });

      it(`keeps to the condition of ${call} as it was given, whatever the caller does with it later`, async (store, category) => {
        const tags = [`${category}/a`];
        const after = { ...settledOf(await endOf(store, category)) };
        const { position } = await store.appendToStream(`${category}-1`, [tagged(...tags)]);
        const condition = { filter: { tags }, after };
        const appending = append(store, `${category}-2`, [event()], { condition });
        tags[0] = `${category}/x`;
        Object.assign(after, { position });
        expect(await errorOf(appending)).toMatchObject({
          code: 'APPEND_CONDITION_FAILED',
          conflict: { position },
        });
      });

      it(`takes a condition of ${call} from a caller that has frozen it`, async (store, category) => {
        const tags = Object.freeze([`${category}/b`, `${category}/a`]);
        const filter = Object.freeze([Object.freeze({ tags })]);
        const condition = Object.freeze({ filter, after: Object.freeze(await endOf(store, category)) });
        await append(store, `${category}-1`, [event()], Object.freeze({ condition }));
        expect(await currentVersions(store, [`${category}-1`])).toEqual([1]);
      });
    }

    it('looks at the events of every part of an append to streams', async (store, category) => {
      const condition = { filter: { tags: [`${category}/a`] }, after: await endOf(store, category) };
      const streamIds = [`${category}-1`, `${category}-2`, `${category}-3`];
      const { parts } = await having(
        store,
        'appendToStreams',
      )(
        streamIds.map((streamId, index) => ({
          streamId,
          events: index === 1 ? [event(), tagged(`${category}/a`)] : [event()],
        })),
      );
      expect(await errorOf(store.appendToStream(`${category}-4`, [event()], { condition }))).toMatchObject({
        code: 'APPEND_CONDITION_FAILED',
        conflict: { streamId: streamIds[1], position: parts[1]?.position, id: parts[1]?.eventIds[1] },
      });
    });

    it('looks at the stream of the append, too', async (store, category) => {
      const condition = { filter: { tags: [`${category}/a`] }, after: await endOf(store, category) };
      const { position } = await store.appendToStream(`${category}-1`, [event(), tagged(`${category}/a`)]);
      expect(await errorOf(store.appendToStream(`${category}-1`, [event()], { condition }))).toMatchObject({
        code: 'APPEND_CONDITION_FAILED',
        conflict: { streamId: `${category}-1`, position },
      });
    });

    it('passes over the events of an append that was refused', async (store, category) => {
      const condition = { filter: { tags: [`${category}/a`] }, after: await endOf(store, category) };
      const { results, errors } = await outcomesOf([
        store.appendToStream(`${category}-1`, [tagged(`${category}/a`)], { expectedVersion: 5 }),
        store.appendToStream(`${category}-2`, [event()], { condition }),
      ]);
      expect(results.map(({ streamId }) => streamId)).toEqual([`${category}-2`]);
      expect(errors[0]).toMatchObject({ code: 'VERSION_CONFLICT' });
    });

    it('finds an event by any of its 300 tags', async (store, category) => {
      const tags = Array.from({ length: 300 }, (_, index) => `${category}/${index}`);
      const after = await endOf(store, category);
      const { position } = await store.appendToStream(`${category}-1`, [tagged(...tags)]);
      for (const some of [tags.slice(0, 1), tags.slice(150, 151), tags.slice(299), tags.slice(100, 200)]) {
        const condition = { filter: { tags: some }, after };
        expect(await errorOf(store.appendToStream(`${category}-2`, [event()], { condition }))).toMatchObject({
          code: 'APPEND_CONDITION_FAILED',
          conflict: { position },
        });
      }
      const condition = { filter: { tags: [...tags, `${category}/300`] }, after };
      await store.appendToStream(`${category}-2`, [event()], { condition });
    });

    it('takes 100 filters, and finds what the last of them takes', async (store, category) => {
      const filter = Array.from({ length: 100 }, (_, index) => ({ tags: [`${category}/${index}`] }));
      const condition = { filter, after: await endOf(store, category) };
      await store.appendToStream(`${category}-1`, [tagged(`${category}/100`)], { condition });
      const { position } = await store.appendToStream(`${category}-1`, [tagged(`${category}/99`)]);
      expect(await errorOf(store.appendToStream(`${category}-1`, [event()], { condition }))).toMatchObject({
        code: 'APPEND_CONDITION_FAILED',
        conflict: { position },
      });
    });

    it('finds an event that a thousand others came after', async (store, category) => {
      const after = await endOf(store, category);
      const { position } = await store.appendToStream(`${category}-1`, [paid(category)]);
      await store.appendToStream(`${category}x-1`, events(1001, `${category}Other`));
      for (const [, filterOf] of taking) {
        const condition = { filter: filterOf(category), after };
        expect(await errorOf(store.appendToStream(`${category}x-2`, [event()], { condition }))).toMatchObject(
          {
            code: 'APPEND_CONDITION_FAILED',
            conflict: { position },
          },
        );
      }
      for (const [, filterOf] of leaving) {
        const condition = { filter: filterOf(category), after };
        await store.appendToStream(`${category}x-2`, [event()], { condition });
      }
    });
  });

  describe('append conditions beside what else an append asks for', () => {
    for (const { call, append } of ways) {
      it(`answer a repeat of ${call}, whose own events are in its way`, async (store, category) => {
        const condition = { filter: { tags: [`${category}/a`] }, after: await endOf(store, category) };
        const options = { commitId: 'c', expectedVersion: 'noStream', condition } as const;
        const first = await append(store, `${category}-1`, [tagged(`${category}/a`)], options);
        await store.appendToStream(`${category}-2`, [tagged(`${category}/a`)]);
        const again = await append(store, `${category}-1`, [tagged(`${category}/a`)], options);
        expect(again).toEqual({ ...first, deduplicated: true });
        expect(await currentVersions(store, [`${category}-1`])).toEqual([1]);
      });

      it(`answer a repeat of ${call}, whose position is of another store`, async (store, category) => {
        const after = settledOf(await endOf(store, category));
        const filter = { tags: [`${category}/a`] };
        const here = { commitId: 'c', condition: { filter, after } };
        const elsewhere = { commitId: 'c', condition: { filter, after: { ...after, storeId: 'another' } } };
        const first = await append(store, `${category}-1`, [event()], here);
        const again = await append(store, `${category}-1`, [event()], elsewhere);
        expect(again).toEqual({ ...first, deduplicated: true });
      });

      it(`store one of eight concurrent copies of ${call}`, async (store, category) => {
        const condition = { filter: { tags: [`${category}/a`] }, after: await endOf(store, category) };
        const options = { commitId: 'c', condition };
        const results = await Promise.all(
          Array.from({ length: 8 }, () => append(store, `${category}-1`, [tagged(`${category}/a`)], options)),
        );
        expect(results.filter(({ deduplicated }) => !deduplicated).length).toBe(1);
        expect(await currentVersions(store, [`${category}-1`])).toEqual([1]);
      });

      it(`refuse other events under the commit id of ${call} before they look at what is in the way`, async (store, category) => {
        const condition = { filter: { tags: [`${category}/a`] }, after: await endOf(store, category) };
        const options = { commitId: 'c', condition };
        await append(store, `${category}-1`, [tagged(`${category}/a`)], options);
        const other = append(store, `${category}-1`, [event('Other')], options);
        expect(await errorOf(other)).toMatchObject({ code: 'COMMIT_MISMATCH', commitId: 'c' });
      });

      it(`look at the expected version of ${call} before they look at what is in the way`, async (store, category) => {
        const condition = { filter: { tags: [`${category}/a`] }, after: await endOf(store, category) };
        await store.appendToStream(`${category}-1`, [tagged(`${category}/a`)]);
        const both = append(store, `${category}-1`, [event()], { expectedVersion: 7, condition });
        expect(await errorOf(both)).toMatchObject({ code: 'VERSION_CONFLICT', actualVersion: 1 });
      });

      it(`are enforced beside the expected version of ${call}, and it beside them`, async (store, category) => {
        const streamId = `${category}-1`;
        const filter = { tags: [`${category}/a`] };
        await store.appendToStream(streamId, events(2));
        const first = { filter, after: await endOf(store, category) };
        const atAnother = append(store, streamId, [event()], { expectedVersion: 1, condition: first });
        expect(await errorOf(atAnother)).toMatchObject({ code: 'VERSION_CONFLICT', streamId });

        await store.appendToStream(`${category}-2`, [tagged(`${category}/a`)]);
        const tooEarly = append(store, streamId, [event()], { expectedVersion: 2, condition: first });
        expect(await errorOf(tooEarly)).toMatchObject({ code: 'APPEND_CONDITION_FAILED' });

        const second = { filter, after: await endOf(store, category) };
        const right = append(store, streamId, [event()], { expectedVersion: 2, condition: second });
        expect(await right).toMatchObject({ version: 3 });
      });
    }
  });

  describe('append conditions that are malformed', () => {
    const time = '2024-01-01T00:00:00Z';
    const malformed: readonly (readonly [what: string, conditionOf: (after: AllSlice) => unknown])[] = [
      ['null', () => null],
      ['a text', () => 'none'],
      ['no filter', (after) => ({ after })],
      ['no position', () => ({ filter: {} })],
      ['an unknown key', (after) => ({ filter: {}, after, before: after })],
      ['an empty list of filters', (after) => ({ filter: [], after })],
      ['null as the filter', (after) => ({ filter: null, after })],
      ['null in the list of filters', (after) => ({ filter: [{}, null], after })],
      ['101 filters', (after) => ({ filter: Array.from({ length: 101 }, () => ({ tags: ['a'] })), after })],
      ['a filter by occurredFrom', (after) => ({ filter: { occurredFrom: time }, after })],
      ['a filter by occurredTo', (after) => ({ filter: [{}, { tags: ['a'], occurredTo: time }], after })],
      ['a filter with an unknown key', (after) => ({ filter: { type: ['Paid'] }, after })],
      ['a filter by no tags', (after) => ({ filter: { tags: [] }, after })],
      ['a filter by a tag that is no list', (after) => ({ filter: { tags: 'a' }, after })],
    ];
    for (const [what, conditionOf] of malformed) {
      it(`are refused with ${what}`, async (store, category) => {
        const streamId = `${category}-1`;
        const condition = conditionOf(await endOf(store, category)) as AppendCondition;
        for (const { append } of ways) {
          const error = await errorOf(append(store, streamId, [event()], { condition }));
          expect(error).toMatchObject({ code: 'INVALID_ARGUMENT' });
        }
        expect(await currentVersions(store, [streamId, besideOf(streamId)])).toEqual([0, 0]);
      });
    }
  });
}

/** The part of the error that says what is in the way. */
interface Conflict {
  readonly conflict: { readonly position?: number; readonly id: string };
}
