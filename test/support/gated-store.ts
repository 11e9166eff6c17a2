import type { EventStore, MultiStreamAppends } from 'temporal-event-store';

/** What happens to an append after the store has stored it, by the number of the call from 1. */
export type AfterAppend = (call: number) => void | Promise<void>;

/** A store whose replies can be lost or late. */
export function withAfterAppend(
  store: EventStore & Partial<MultiStreamAppends>,
  afterAppend: AfterAppend,
): EventStore & Partial<MultiStreamAppends> {
  let calls = 0;
  const after = async <T>(append: Promise<T>): Promise<T> => {
    const result = await append;
    await afterAppend(++calls);
    return result;
  };
  return {
    appendToStream: (...args) => after(store.appendToStream(...args)),
    ...(store.appendToStreams && {
      appendToStreams: (...args) => after((store as MultiStreamAppends).appendToStreams(...args)),
    }),
    readStream: (...args) => store.readStream(...args),
    readAll: (...args) => store.readAll(...args),
    findCommit: (...args) => store.findCommit(...args),
  };
}

/** A promise and the function that fulfils it. */
export function gate(): { readonly opened: Promise<void>; open(): void } {
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}
