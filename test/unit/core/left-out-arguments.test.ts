import { MemoryEventStore } from 'temporal-event-store/memory';
import { expect, it } from 'vitest';

const nothing = undefined as never;
const model = { name: 'account', version: 1 };

it.each<[what: string, call: (store: MemoryEventStore) => Promise<unknown>]>([
  ['the commit id of a search', (store) => store.findCommit('Account-1', nothing)],
  ['the name of a checkpoint', (store) => store.checkpoints.load(nothing)],
  ['the position of a checkpoint', (store) => store.checkpoints.save('a', { storeId: 's' } as never)],
  ['the store of a checkpoint', (store) => store.checkpoints.save('a', { position: 1 } as never)],
  ['the name of a model', (store) => store.snapshots.load('Account-1', { version: 1 } as never)],
  ['the version of a model', (store) => store.snapshots.load('Account-1', { name: 'account' } as never)],
  ['the version of a snapshot', (store) => store.snapshots.save('Account-1', model, nothing, {})],
])('%s must not be left out', async (_what, call) => {
  await expect(call(new MemoryEventStore())).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
});
