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
