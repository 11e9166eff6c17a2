import { iterateStream } from '../../core/store/read/iterate.js';
import { errorOf, event, events, versionsOf, type Suite } from './suite.js';

export function describeReadStream({ describe, it, expect }: Suite): void {
  describe('read a stream', () => {
    it('returns an empty slice of version 0 for a stream that does not exist', async (store, category) => {
      expect(await store.readStream(`${category}-none`)).toEqual({
        streamId: `${category}-none`,
        version: 0,
        events: [],
        isEnd: true,
      });
    });

    for (const { options, versions, isEnd } of [
      { options: {}, versions: [1, 2, 3, 4, 5], isEnd: true },
      { options: { limit: 5 }, versions: [1, 2, 3, 4, 5], isEnd: true },
      { options: { limit: 2 }, versions: [1, 2], isEnd: false },
      { options: { fromVersion: 4 }, versions: [4, 5], isEnd: true },
      { options: { fromVersion: 4, limit: 2 }, versions: [4, 5], isEnd: true },
      { options: { fromVersion: 6 }, versions: [], isEnd: true },
      { options: { toVersion: 3 }, versions: [1, 2, 3], isEnd: true },
      { options: { toVersion: 3, limit: 2 }, versions: [1, 2], isEnd: false },
      { options: { fromVersion: 2, toVersion: 99 }, versions: [2, 3, 4, 5], isEnd: true },
      { options: { fromVersion: 4, toVersion: 2 }, versions: [], isEnd: true },
      { options: { direction: 'backward' }, versions: [5, 4, 3, 2, 1], isEnd: true },
      { options: { direction: 'backward', limit: 5 }, versions: [5, 4, 3, 2, 1], isEnd: true },
      { options: { direction: 'backward', limit: 2 }, versions: [5, 4], isEnd: false },
      { options: { direction: 'backward', fromVersion: 3, limit: 2 }, versions: [3, 2], isEnd: false },
      { options: { direction: 'backward', fromVersion: 99, limit: 1 }, versions: [5], isEnd: false },
      { options: { direction: 'backward', fromVersion: 4, toVersion: 2 }, versions: [4, 3, 2], isEnd: true },
      { options: { direction: 'backward', fromVersion: 2, toVersion: 4 }, versions: [], isEnd: true },
    ] as const) {
      it(`reads ${JSON.stringify(options)} of five events`, async (store, category) => {
        await store.appendToStream(`${category}-1`, events(5));
        const slice = await store.readStream(`${category}-1`, options);
        expect(versionsOf(slice)).toEqual([...versions]);
        expect(slice).toMatchObject({ version: 5, isEnd });
      });
    }

    it('reads one stream only', async (store, category) => {
      await store.appendToStream(`${category}-1`, [event('One')]);
      await store.appendToStream(`${category}-11`, [event('Other')]);
      const slice = await store.readStream(`${category}-1`);
      expect(slice.events.map((each) => each.type)).toEqual(['One']);
    });

    it('iterates page by page, in both directions', async (store, category) => {
      await store.appendToStream(`${category}-1`, events(7));
      const forward: number[] = [];
      for await (const each of iterateStream(store, `${category}-1`, { limit: 3, fromVersion: 2 })) {
        forward.push(each.version);
      }
      const backward: number[] = [];
      for await (const each of iterateStream(store, `${category}-1`, { limit: 3, direction: 'backward' })) {
        backward.push(each.version);
      }
      expect(forward).toEqual([2, 3, 4, 5, 6, 7]);
      expect(backward).toEqual([7, 6, 5, 4, 3, 2, 1]);
    });

    for (const options of [
      { fromVersion: 0 },
      { fromVersion: 1.5 },
      { toVersion: -1 },
      { limit: 0 },
      { limit: '5' },
      { direction: 'up' },
      { from: 1 },
    ]) {
      it(`refuses the options ${JSON.stringify(options)}`, async (store, category) => {
        const error = await errorOf(store.readStream(`${category}-1`, options as never));
        expect(error).toMatchObject({ code: 'INVALID_ARGUMENT' });
      });
    }

    it('rejects with the reason of an aborted signal', async (store, category) => {
      const controller = new AbortController();
      controller.abort(new Error('enough'));
      const error = await errorOf(store.readStream(`${category}-1`, { signal: controller.signal }));
      expect(error).toMatchObject({ message: 'enough' });
    });
  });
}
