import { errorOf, having, type Suite } from './suite.js';

export function describeCheckpoints({ describe, it, expect }: Suite): void {
  describe('checkpoints', () => {
    it('keeps the furthest checkpoint of a name', async (store, category) => {
      const checkpoints = having(store, 'checkpoints');
      expect(await checkpoints.load(category)).toBe(undefined);
      await checkpoints.save(category, { position: 4, storeId: 's' });
      await checkpoints.save(category, { position: 5, storeId: 's' });
      await checkpoints.save(category, { position: 3, storeId: 's' });
      expect(await checkpoints.load(category)).toEqual({ position: 5, storeId: 's' });
    });

    it('keeps the furthest of eight checkpoints that are saved at the same time', async (store, category) => {
      const checkpoints = having(store, 'checkpoints');
      await Promise.all(
        [3, 8, 1, 6, 2, 7, 5, 4].map((position) => checkpoints.save(category, { position, storeId: 's' })),
      );
      expect(await checkpoints.load(category)).toEqual({ position: 8, storeId: 's' });
    });

    it('keeps the first position and the largest', async (store, category) => {
      const checkpoints = having(store, 'checkpoints');
      for (const position of [0, Number.MAX_SAFE_INTEGER]) {
        await checkpoints.save(category, { position, storeId: 's' });
        expect(await checkpoints.load(category)).toEqual({ position, storeId: 's' });
      }
    });

    it('does not change when the caller later changes the checkpoint it saved or loaded', async (store, category) => {
      const checkpoints = having(store, 'checkpoints');
      const checkpoint = { position: 4, storeId: 's' };
      const saving = checkpoints.save(category, checkpoint);
      checkpoint.position = 5;
      await saving;
      const loaded = (await checkpoints.load(category)) as { position: number };
      loaded.position = 6;
      expect(await checkpoints.load(category)).toEqual({ position: 4, storeId: 's' });
    });

    it('starts again in another store, and when it was deleted', async (store, category) => {
      const checkpoints = having(store, 'checkpoints');
      await checkpoints.save(category, { position: 5, storeId: 's' });
      await checkpoints.save(category, { position: 2, storeId: 'restored' });
      expect(await checkpoints.load(category)).toEqual({ position: 2, storeId: 'restored' });
      await checkpoints.delete(category);
      expect(await checkpoints.load(category)).toBe(undefined);
    });

    it('refuses a malformed checkpoint', async (store, category) => {
      const save = having(store, 'checkpoints').save(category, { position: -1, storeId: 's' });
      expect(await errorOf(save)).toMatchObject({ code: 'INVALID_ARGUMENT' });
    });
  });
}
