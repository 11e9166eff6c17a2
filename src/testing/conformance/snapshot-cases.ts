import type { JsonValue } from '../../core/values/json.js';
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

    it('keeps the snapshots of two models of a stream beside each other', async (store, category) => {
      const snapshots = having(store, 'snapshots');
      const other = { name: 'Other', version: 1 };
      await snapshots.save(`${category}-1`, model, 5, { balance: 7 });
      await snapshots.save(`${category}-1`, other, 3, { lines: [] });
      expect(await snapshots.load(`${category}-1`, model)).toEqual({ version: 5, state: { balance: 7 } });
      await snapshots.delete(`${category}-1`, model);
      expect(await snapshots.load(`${category}-1`, other)).toEqual({ version: 3, state: { lines: [] } });
    });

    it('keeps the newest of eight snapshots that are saved at the same time', async (store, category) => {
      const snapshots = having(store, 'snapshots');
      await Promise.all(
        [3, 8, 1, 6, 2, 7, 5, 4].map((version) =>
          snapshots.save(`${category}-1`, model, version, { version }),
        ),
      );
      expect(await snapshots.load(`${category}-1`, model)).toEqual({ version: 8, state: { version: 8 } });
    });

    it('keeps a state of every kind of JSON', async (store, category) => {
      const snapshots = having(store, 'snapshots');
      const state = {
        numbers: [Number.MAX_SAFE_INTEGER, -1e308, 5e-324, 0.1 + 0.2],
        text: ['zero \u0000, quote ", \\, 🙂', 'caf\u00e9', 'cafe\u0301', ' a '],
        keys: { z: 1, a: 2, '': 3, constructor: 4 },
        nothing: [null, false, 0, '', [], {}],
        proto: JSON.parse('{"__proto__":{"admin":true}}') as JsonValue,
      };
      await snapshots.save(`${category}-1`, model, 1, state);
      const loaded = await snapshots.load(`${category}-1`, model);
      expect(JSON.stringify(loaded?.state)).toBe(JSON.stringify(state));
    });

    it('does not change when the caller later changes the state it saved or loaded', async (store, category) => {
      const snapshots = having(store, 'snapshots');
      const state = { lines: [1] };
      const saving = snapshots.save(`${category}-1`, model, 5, state);
      state.lines.push(2);
      await saving;
      const loaded = await snapshots.load(`${category}-1`, model);
      (loaded?.state as { lines: number[] }).lines.push(3);
      expect(await snapshots.load(`${category}-1`, model)).toEqual({ version: 5, state: { lines: [1] } });
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
