import { MemoryEventStore } from 'temporal-event-store/memory';
import { describe, expect, it, vi } from 'vitest';
import { SharedReads } from '../../../src/temporal/activities/projections/shared-reads.js';

/** A store with two events, whose reads are counted. */
async function useReads() {
  const store = new MemoryEventStore();
  const paid = { type: 'Paid', data: {} };
  await store.appendToStream('Payment-1', [paid, paid]);
  const readAll = vi.spyOn(store, 'readAll');
  const reads = SharedReads.of(store);
  const abort = new AbortController();
  const read = (after: number, signal = abort.signal) => reads.read({ after, limit: 10, signal });
  return { store, readAll, reads, read, abort };
}

describe('the shared reads of a store', () => {
  it('are those of every caller in the process', async () => {
    const { store, reads } = await useReads();
    expect(SharedReads.of(store)).toBe(reads);
    expect(SharedReads.of(new MemoryEventStore())).not.toBe(reads);
  });

  it('read a page once for all who ask for it together, and say so', async () => {
    const { readAll, read } = await useReads();
    const pages = await Promise.all(Array.from({ length: 100 }, () => read(0, new AbortController().signal)));
    expect(readAll).toHaveBeenCalledTimes(1);
    expect(new Set(pages.map(({ slice }) => slice)).size).toBe(1);
    expect(pages.every(({ isShared }) => isShared)).toBe(true);
    expect(await read(0)).toMatchObject({ isShared: false, slice: { position: 2 } });
  });

  it('read each of several pages', async () => {
    const { reads, read, readAll, abort } = await useReads();
    const pages = await Promise.all([
      read(0),
      read(1),
      reads.read({ after: 0, limit: 1, signal: abort.signal }),
      reads.read({ after: 0, limit: 10, maxBytes: 1, signal: abort.signal }),
      reads.read({ after: 0, limit: 10, filter: { types: ['Refunded'] }, signal: abort.signal }),
    ]);
    expect(pages.map(({ slice }) => slice.events.length)).toEqual([2, 1, 1, 1, 0]);
    expect(pages.some(({ isShared }) => isShared)).toBe(false);
    expect(readAll).toHaveBeenCalledTimes(5);
  });

  it('join no read that has begun: it may miss what is appended meanwhile', async () => {
    const { store, readAll, read } = await useReads();
    let release = (): void => undefined;
    const released = new Promise<void>((resolve) => (release = resolve));
    const real = MemoryEventStore.prototype.readAll.bind(store);
    readAll.mockImplementationOnce(async (options) => {
      const slice = await real(options);
      await released;
      return slice;
    });
    const first = read(0);
    await vi.waitFor(() => {
      expect(readAll).toHaveBeenCalledTimes(1);
    });
    await store.appendToStream('Payment-1', [{ type: 'Paid', data: {} }]);
    expect((await read(0)).slice.events).toHaveLength(3);
    release();
    expect((await first).slice.events).toHaveLength(2);
  });

  it('go on for the others when one of them leaves, and end when all have left', async () => {
    const { readAll, read, abort } = await useReads();
    const gone = new AbortController();
    const leaving = read(0, gone.signal);
    const staying = read(0);
    gone.abort(new Error('This shard was stopped.'));
    await expect(leaving).rejects.toThrow('This shard was stopped.');
    expect((await staying).slice.events).toHaveLength(2);
    expect(readAll.mock.lastCall?.[0]?.signal?.aborted).toBe(false);

    const last = read(0);
    abort.abort(new Error('All were stopped.'));
    await expect(last).rejects.toThrow('All were stopped.');
    // One that comes in the same turn has a read of its own.
    expect((await read(0, new AbortController().signal)).slice.events).toHaveLength(2);
    expect(readAll.mock.calls.at(-2)?.[0]?.signal?.aborted).toBe(true);
    await expect(read(0)).rejects.toThrow('All were stopped.');
  });

  it('tell all of them why the page can not be read', async () => {
    const { readAll, read } = await useReads();
    readAll.mockRejectedValueOnce(new Error('The disk is gone.'));
    const results = await Promise.allSettled([read(0), read(0)]);
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  });
});
