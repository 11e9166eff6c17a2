import type { AppendResult, EventStore } from 'temporal-event-store';

/** What happens to an append after the store has stored it, by the number of the call from 1. */
export type AfterAppend = (call: number, result: AppendResult) => void | Promise<void>;

/** A store whose replies can be lost or late. */
export function withAfterAppend(store: EventStore, afterAppend: AfterAppend): EventStore {
  let calls = 0;
  return {
    async appendToStream(...args) {
      const result = await store.appendToStream(...args);
      await afterAppend(++calls, result);
      return result;
    },
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
