import type { HasStoredForm } from './append/stored-form.js';
import type { StoreCapabilities } from './capabilities.js';
import type { EventStore } from './event-store.js';
import { storedReads, storedReadsOf, type HasStoredReads } from './read/stored-reads.js';

/** A store around another, with everything that the inner one has. */
export type DecoratedStore<S extends EventStore> = { [K in keyof S]: S[K] };

/** What a decorator does itself. */
export type Replacements = Partial<EventStore> &
  Partial<Pick<StoreCapabilities, 'appendCommits' | 'appendToStreams'>> &
  HasStoredForm &
  HasStoredReads;

/** The store that decorators of this library are around. By a symbol, so that it is found through any number of them. */
const innermost = Symbol.for('temporal-event-store/innermost');

/**
 * Passes on what `replaced` does not replace, whatever it is: capabilities, methods of the store's own, symbols. It is a plain
 * object, so that who spreads it spreads all of that.
 *
 * @param decorate what is made of a store that a method of the inner one returns, such as `inTransaction`. Default: nothing
 */
export function decorateStore<S extends EventStore>(
  inner: S,
  replaced: Replacements,
  decorate?: (store: EventStore) => EventStore,
): DecoratedStore<S> {
  const store = {};
  for (const [key, isMethod] of membersOf(inner)) {
    Object.defineProperty(store, key, passedOn(inner, key, isMethod, decorate));
  }
  for (const key of Reflect.ownKeys(replaced)) {
    const value: unknown = Reflect.get(replaced, key);
    Object.defineProperty(store, key, { value, writable: true, enumerable: true, configurable: true });
  }
  if (replaced.readAll === undefined) {
    const value: HasStoredReads[typeof storedReads] = {
      readAll: (options) => storedReadsOf(inner).readAll(options),
      decode: (event) => storedReadsOf(inner).decode(event),
      of: Reflect.get(store, 'readAll'),
    };
    Object.defineProperty(store, storedReads, { value, enumerable: true, configurable: true });
  }
  Object.defineProperty(store, innermost, {
    value: innermostOf(inner),
    enumerable: true,
    configurable: true,
  });
  return store as DecoratedStore<S>;
}

/** The store itself, or that which decorators of this library are around. */
export function innermostOf(store: EventStore): object {
  return (store as { readonly [innermost]?: object })[innermost] ?? store;
}

/** The members of the store and of its classes, where its methods are; and whether each is a method. */
function membersOf(store: object): ReadonlyMap<PropertyKey, boolean> {
  const members = new Map<PropertyKey, boolean>();
  let owner: object | null = store;
  while (owner !== null && owner !== Object.prototype) {
    for (const key of Reflect.ownKeys(owner)) {
      if (key === 'constructor' || members.has(key)) continue;
      members.set(key, typeof Reflect.getOwnPropertyDescriptor(owner, key)?.value === 'function');
    }
    owner = Reflect.getPrototypeOf(owner);
  }
  return members;
}

/** What the inner store has at that time: it may be another by then. */
function passedOn(
  inner: EventStore,
  key: PropertyKey,
  isMethod: boolean,
  decorate: ((store: EventStore) => EventStore) | undefined,
): PropertyDescriptor {
  const common = { enumerable: true, configurable: true };
  if (!isMethod) {
    return {
      ...common,
      get: (): unknown => Reflect.get(inner, key),
      set: (value: unknown) => void Reflect.set(inner, key, value),
    };
  }
  const call = (...args: unknown[]): unknown => {
    const result = (Reflect.get(inner, key) as (...args: unknown[]) => unknown).apply(inner, args);
    if (decorate === undefined) return result;
    if (result instanceof Promise) {
      return result.then((value: unknown) => (isStore(value) ? decorate(value) : value));
    }
    return isStore(result) ? decorate(result) : result;
  };
  return { ...common, writable: true, value: call };
}

function isStore(value: unknown): value is EventStore {
  const { appendToStream, readStream } = (value ?? {}) as Partial<EventStore>;
  return typeof appendToStream === 'function' && typeof readStream === 'function';
}
