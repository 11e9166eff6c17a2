import { abortedSignal, beginning, errorOf, event, events, having, turn, type Suite } from './suite.js';

export function describeCommitChain({ describe, it, expect }: Suite): void {
  describe('append commits', () => {
    it('appends several commits one after the other', async (store, category) => {
      const streamId = `${category}-1`;
      await store.appendToStream(streamId, [event()]);
      const results = await having(store, 'appendCommits')(
        streamId,
        [
          { commitId: 'a', events: events(2) },
          { commitId: 'b', events: [event('Other')], metadata: { actor: 'ann' } },
        ],
        { expectedVersion: 1 },
      );
      const slice = await store.readStream(streamId);

      expect(results.map(({ commitId, version }) => [commitId, version])).toEqual([
        ['a', 3],
        ['b', 4],
      ]);
      expect(slice.events.map((each) => each.type)).toEqual(['Happened', 'Happened', 'Happened', 'Other']);
      expect(slice.events[3]?.metadata.actor).toBe('ann');
      expect(await store.findCommit(streamId, 'a')).toEqual({ ...results[0], deduplicated: true });
    });

    it('appends nothing when one of the commits is stored already', async (store, category) => {
      const streamId = `${category}-1`;
      await store.appendToStream(streamId, [event()], { commitId: 'b' });
      const commits = ['a', 'b', 'c'].map((commitId) => ({ commitId, events: [event()] }));
      const error = await errorOf(having(store, 'appendCommits')(streamId, commits));

      expect(error).toMatchObject({ code: 'COMMIT_EXISTS', streamId, commitIds: ['b'] });
      expect((await store.readStream(streamId)).version).toBe(1);
    });

    it('names all commits that are stored already, before it looks at the expected version', async (store, category) => {
      const streamId = `${category}-1`;
      for (const commitId of ['a', 'c']) await store.appendToStream(streamId, [event()], { commitId });
      const commits = ['a', 'b', 'c'].map((commitId) => ({ commitId, events: [event()] }));
      const append = having(store, 'appendCommits')(streamId, commits, { expectedVersion: 'noStream' });
      expect(await errorOf(append)).toMatchObject({ code: 'COMMIT_EXISTS', commitIds: ['a', 'c'] });
    });

    it('takes a commit of a chain that is appended by itself for a repeat', async (store, category) => {
      const streamId = `${category}-1`;
      const commits = ['a', 'b'].map((commitId) => ({ commitId, events: events(2) }));
      const [first] = await having(store, 'appendCommits')(streamId, commits);
      const again = await store.appendToStream(streamId, events(2), { commitId: 'a' });
      expect(again).toEqual({ ...first, deduplicated: true });
      expect((await store.readStream(streamId)).version).toBe(4);
    });

    it('stores one of eight concurrent copies of a chain', async (store, category) => {
      const streamId = `${category}-1`;
      const commits = ['a', 'b', 'c'].map((commitId) => ({ commitId, events: [event()] }));
      const outcomes = await Promise.allSettled(
        Array.from({ length: 8 }, () => having(store, 'appendCommits')(streamId, commits)),
      );
      expect(outcomes.filter(({ status }) => status === 'fulfilled').length).toBe(1);
      for (const outcome of outcomes) {
        if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ code: 'COMMIT_EXISTS' });
      }
      expect((await store.readStream(streamId)).version).toBe(3);
    });

    it('lets one of eight concurrent chains through that expect the same version', async (store, category) => {
      const streamId = `${category}-1`;
      await store.appendToStream(streamId, [event()]);
      const outcomes = await Promise.allSettled(
        Array.from({ length: 8 }, (_, racer) => {
          const commits = ['a', 'b'].map((id) => ({ commitId: `${id}-${racer}`, events: [event()] }));
          return having(store, 'appendCommits')(streamId, commits, { expectedVersion: 1 });
        }),
      );
      expect(outcomes.filter(({ status }) => status === 'fulfilled').length).toBe(1);
      for (const outcome of outcomes) {
        if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ code: 'VERSION_CONFLICT' });
      }
      expect((await store.readStream(streamId)).version).toBe(3);
    });

    it('keeps the commits of concurrent chains together, beside other appends', async (store, category) => {
      const streamId = `${category}-1`;
      await Promise.all(
        Array.from({ length: 4 }, async (_, chain) => {
          const commits = ['a', 'b', 'c'].map((id) => ({ commitId: `${chain}-${id}`, events: events(2) }));
          await Promise.all([
            having(store, 'appendCommits')(streamId, commits),
            store.appendToStream(streamId, [event()], { commitId: `single-${chain}` }),
          ]);
        }),
      );
      const { events: found } = await store.readStream(streamId);
      const order = found.map(({ commitId }) => commitId).filter((id) => !id.startsWith('single'));
      const chains = [...new Set(order.map((id) => id.slice(0, 1)))];
      expect(order).toEqual(
        chains.flatMap((chain) => ['a', 'a', 'b', 'b', 'c', 'c'].map((id) => `${chain}-${id}`)),
      );
      // Nothing comes between the commits of a chain either.
      const starts = chains.map((chain) => found.findIndex(({ commitId }) => commitId === `${chain}-a`));
      const ends = chains.map((chain) => found.findLastIndex(({ commitId }) => commitId === `${chain}-c`));
      expect(ends.map((end, index) => end - (starts[index] ?? 0))).toEqual([5, 5, 5, 5]);
    });

    it('shows all or none of a chain to those who read while it is appended', async (store, category) => {
      const streamId = `${category}-1`;
      const commits = Array.from({ length: 20 }, (_, index) => ({
        commitId: `c${index}`,
        events: events(5),
      }));
      const append = beginning(having(store, 'appendCommits')(streamId, commits));
      const seen = new Set<number>();
      for (let round = 0; round < 20 && !append.isDone(); round++) {
        seen.add((await store.readStream(streamId, { limit: 1 })).version);
        await turn();
      }
      await append.ended;
      seen.delete(0);
      seen.delete(100);
      expect([...seen]).toEqual([]);
      expect((await store.readStream(streamId, { limit: 1 })).version).toBe(100);
    });

    it('appends nothing when the signal is aborted, and rejects with its reason', async (store, category) => {
      const signal = abortedSignal();
      const commits = [{ commitId: 'a', events: [event()] }];
      const append = having(store, 'appendCommits')(`${category}-1`, commits, { signal });
      expect(await errorOf(append)).toMatchObject({ message: 'enough' });
      expect((await store.readStream(`${category}-1`)).version).toBe(0);
    });

    it('appends nothing when the stream is not at the expected version', async (store, category) => {
      const commits = [{ commitId: 'a', events: [event()] }];
      const append = having(store, 'appendCommits')(`${category}-1`, commits, {
        expectedVersion: 'streamExists',
      });
      expect(await errorOf(append)).toMatchObject({ code: 'VERSION_CONFLICT', actualVersion: 0 });
    });

    it('appends nothing when one event is invalid, and says which', async (store, category) => {
      const commits = [
        { commitId: 'a', events: [event()] },
        { commitId: 'b', events: [event(), event('Happened', [1n])] },
      ];
      const error = await errorOf(having(store, 'appendCommits')(`${category}-1`, commits));
      expect(error).toMatchObject({ code: 'INVALID_EVENT', path: 'commits[1].events[1].data[0]' });
      expect((await store.readStream(`${category}-1`)).version).toBe(0);
    });

    for (const [what, commits] of [
      ['no commits', []],
      ['a commit without events', [{ commitId: 'a', events: [] }]],
      ['a commit without an id', [{ events: [event()] }]],
      ['one id twice', ['a', 'a'].map((commitId) => ({ commitId, events: [event()] }))],
    ] as const) {
      it(`refuses ${what}`, async (store, category) => {
        const error = await errorOf(having(store, 'appendCommits')(`${category}-1`, commits as never));
        expect(error).toMatchObject({ code: 'INVALID_ARGUMENT' });
      });
    }
  });
}
