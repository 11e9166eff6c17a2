import type { ReaderHints, StoreCapabilities } from './capabilities.js';
import type { EventStore } from './event-store.js';
import { storedForm, type HasStoredForm } from './stored-form.js';

/** A store around another: the four methods, and those capabilities that the inner one has. */
export type DecoratedStore<S extends EventStore> = EventStore &
  Pick<S, Extract<keyof S, keyof StoreCapabilities | keyof ReaderHints>>;

/** Passes on what `replaced` does not replace. Other methods of the inner store, such as `close`, stay with it. */
export function decorateStore<S extends EventStore>(
  inner: S & Partial<StoreCapabilities> & ReaderHints & HasStoredForm,
  replaced: Partial<EventStore> & Partial<Pick<StoreCapabilities, 'appendCommits'>> & HasStoredForm,
): DecoratedStore<S> {
  const capabilities: Partial<StoreCapabilities> & ReaderHints & HasStoredForm = {
    ...(inner.appendCommits && { appendCommits: inner.appendCommits.bind(inner) }),
    ...(inner.statistics && { statistics: inner.statistics.bind(inner) }),
    ...(inner.trends && { trends: inner.trends.bind(inner) }),
    ...(inner.snapshots && { snapshots: inner.snapshots }),
    ...(inner.checkpoints && { checkpoints: inner.checkpoints }),
    ...(inner.readsAhead !== undefined && { readsAhead: inner.readsAhead }),
    ...(inner.onAppend && { onAppend: inner.onAppend.bind(inner) }),
    ...(inner[storedForm] && { [storedForm]: inner[storedForm] }),
  };
  const store: EventStore & Partial<StoreCapabilities> = {
    appendToStream: inner.appendToStream.bind(inner),
    readStream: inner.readStream.bind(inner),
    readAll: inner.readAll.bind(inner),
    findCommit: inner.findCommit.bind(inner),
    ...capabilities,
    ...replaced,
  };
  return store as DecoratedStore<S>;
}
