import { errorOf, event, events, having, type Suite } from './suite.js';

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
