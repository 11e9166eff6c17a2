import { errorOf, having, type Suite } from './suite.js';

export function describeSnapshots({ describe, it, expect }: Suite): void {
  const model = { name: 'Account', version: 1 };
  describe('snapshots', () => {
    it('keeps the newest snapshot of a stream and model', async (store, category) => {
      const snapshots = having(store, 'snapshots');
      const streamId = `${category}-1`;
      expect(await snapshots.load(streamId, model)).toBe(undefined);
      await snapshots.save(streamId, model, 4, { balance: 6 });
      await snapshots.save(streamId, model, 5, { balance: 7 });
      await snapshots.save(streamId, model, 3, { balance: 1 });

      expect(await snapshots.load(streamId, model)).toEqual({ version: 5, state: { balance: 7 } });
      expect(await snapshots.load(`${category}-2`, model)).toBe(undefined);
      expect(await snapshots.load(streamId, { ...model, name: 'Other' })).toBe(undefined);
    });

    it('does not return the snapshot of another model version, and replaces it', async (store, category) => {
      const snapshots = having(store, 'snapshots');
      const streamId = `${category}-1`;
      await snapshots.save(streamId, model, 5, { balance: 7 });

      expect(await snapshots.load(streamId, { ...model, version: 2 })).toBe(undefined);
      await snapshots.save(streamId, { ...model, version: 2 }, 4, { cents: 700 });
      expect(await snapshots.load(streamId, { ...model, version: 2 })).toEqual({
        version: 4,
        state: { cents: 700 },
      });
    });

    it('deletes a snapshot', async (store, category) => {
      const snapshots = having(store, 'snapshots');
      await snapshots.save(`${category}-1`, model, 5, null);
      expect(await snapshots.load(`${category}-1`, model)).toEqual({ version: 5, state: null });
      await snapshots.delete(`${category}-1`, model);
      expect(await snapshots.load(`${category}-1`, model)).toBe(undefined);
    });

    it('refuses a state that is not JSON, and a malformed model', async (store, category) => {
      const snapshots = having(store, 'snapshots');
      const save = snapshots.save(`${category}-1`, model, 1, { at: new Date(0) } as never);
      expect(await errorOf(save)).toMatchObject({ code: 'INVALID_ARGUMENT' });
      const load = snapshots.load(`${category}-1`, { name: '', version: 1 });
      expect(await errorOf(load)).toMatchObject({ code: 'INVALID_ARGUMENT' });
    });
  });
}
