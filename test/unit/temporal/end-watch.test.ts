import { withEvents, defineEvents, StoreUnavailableError } from 'temporal-event-store';
import { MemoryEventStore } from 'temporal-event-store/memory';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { EndWatch } from '../../../src/temporal/activities/projections/end-watch.js';

const paid = [{ type: 'Paid', data: {} }];

/** A store that counts its looks, and gives no hints unless it is told to. */
function useWatched({ hints = false } = {}) {
  const memory = new MemoryEventStore();
  const readAll = memory.readAll.bind(memory);
  const store = memory as Omit<MemoryEventStore, 'onAppend'> & { onAppend?: MemoryEventStore['onAppend'] };
  const looks = vi.fn(readAll);
  store.readAll = looks;
  if (!hints) Object.defineProperty(store, 'onAppend', { value: undefined });
  const watch = EndWatch.of(store);
  onTestFinished(watch.use());
  const waitAt = (position: number): Promise<void> =>
    new Promise((resolve) => {
      watch.wait(position, resolve);
    });
  return { store, watch, looks, waitAt };
}

describe('the watch of the end of a store', () => {
  it('is one for all decorations of a store', () => {
    const store = new MemoryEventStore();
    expect(EndWatch.of(withEvents(store, defineEvents({ Paid: {} })))).toBe(EndWatch.of(store));
    expect(EndWatch.of(new MemoryEventStore())).not.toBe(EndWatch.of(store));
  });

  it.each([true, false])(
    'calls all who wait when something is appended, by few looks (hints: %s)',
    async (hints) => {
      const { store, looks, waitAt } = useWatched({ hints });
      const all = Array.from({ length: 1_000 }, () => waitAt(0));
      await store.appendToStream('Payment-1', paid);
      await Promise.all(all);
      expect(looks.mock.calls.length).toBeLessThan(10);
    },
  );

  it('calls at once who is behind, and not who has come further', async () => {
    const { store, watch, waitAt } = useWatched();
    await store.appendToStream('Payment-1', paid);
    await waitAt(0);
    const waiter = vi.fn();
    const stop = watch.wait(1, waiter);
    watch.wait(0, waiter);
    expect(waiter).toHaveBeenCalledTimes(1);
    stop();
    await store.appendToStream('Payment-1', paid);
    await waitAt(1);
    expect(waiter).toHaveBeenCalledTimes(1);
  });

  it('does not look while nobody waits', async () => {
    const { looks, waitAt, store } = useWatched();
    await store.appendToStream('Payment-1', paid);
    await waitAt(0);
    const before = looks.mock.calls.length;
    await store.appendToStream('Payment-1', paid);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(looks.mock.calls.length).toBe(before);
  });

  it('makes one look at a time, whoever comes and goes while one takes long', async () => {
    const memory = new MemoryEventStore();
    let underWay = 0;
    let most = 0;
    let answer = (): void => undefined;
    const answered = new Promise<void>((resolve) => {
      answer = resolve;
    });
    const readAll = memory.readAll.bind(memory);
    const looks = vi.fn(async (options: Parameters<typeof readAll>[0]) => {
      most = Math.max(most, ++underWay);
      await answered;
      underWay--;
      return readAll(options);
    });
    memory.readAll = looks;
    const watch = EndWatch.of(memory);
    for (let round = 0; round < 3; round++) {
      const stop = watch.use();
      const leave = watch.wait(0, () => undefined);
      await expect.poll(() => looks).toHaveBeenCalled();
      leave();
      stop();
    }
    onTestFinished(watch.use());
    const appended = new Promise<void>((resolve) => {
      watch.wait(0, resolve);
    });
    await memory.appendToStream('Payment-1', paid);
    answer();
    await appended;
    expect(most).toBe(1);
  });

  it('outlasts a store that cannot be read, and calls when it has lost events or is another', async () => {
    const { looks, waitAt, store, watch } = useWatched();
    await store.appendToStream('Payment-1', [...paid, ...paid]);
    await waitAt(0);
    expect(watch).toMatchObject({ end: 2, losses: [] });
    const { events, storeId } = await store.readAll({ after: 1 });
    const [event] = events;
    looks.mockRejectedValueOnce(new StoreUnavailableError('gone'));
    const lost = waitAt(2);
    looks.mockResolvedValueOnce({
      events: [{ ...event, id: 'other' }],
      position: 2,
      isEnd: true,
      storeId,
    } as never);
    await lost;
    expect(watch.losses).toEqual([{ position: 2, id: event?.id }]);
  });
});
