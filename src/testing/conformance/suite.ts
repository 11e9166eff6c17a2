import type { DomainEvent, RecordedEvent } from '../../core/events/event.js';
import type { StoreCapabilities } from '../../core/store/capabilities.js';
import type { EventStore } from '../../core/store/event-store.js';

/** The part of a test runner's `expect` that the suite uses; those of vitest, jest and bun fit. */
export type ConformanceExpect = (actual: unknown) => {
  toBe(expected: unknown): void;
  toEqual(expected: unknown): void;
  toMatchObject(expected: object): void;
};

/** A store under test: the four methods, and the capabilities that are declared for it. */
export type StoreUnderTest = EventStore & Partial<StoreCapabilities>;

/** The functions that cases are written with. */
export interface Suite {
  describe(name: string, define: () => void): void;
  /** A case gets a store and a category that no other case uses, so that cases can share a store. */
  it(name: string, run: (store: StoreUnderTest, category: string) => Promise<void>): void;
  expect: ConformanceExpect;
}

/** The error that a call ends with; a call that doesn't fail fails the case. */
export async function errorOf(call: Promise<unknown>): Promise<unknown> {
  try {
    await call;
  } catch (error) {
    return error;
  }
  throw new Error('The call was expected to fail, but went through.');
}

/** Workflows have no `AbortSignal.abort`. */
export function abortedSignal(): AbortSignal {
  const controller = new AbortController();
  controller.abort(new Error('enough'));
  return controller.signal;
}

/** Gives all others a turn, also where an answer takes no more than microtasks. */
export function turn(milliseconds = 0): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds);
  });
}

/** What goes on beside a case. Until `ended` is awaited, an error of it is nobody's. */
export function beginning(work: Promise<unknown>): {
  readonly isDone: () => boolean;
  readonly ended: Promise<void>;
} {
  let isDone = false;
  const ended = work.then(
    () => {
      isDone = true;
    },
    (error: unknown) => {
      isDone = true;
      throw error;
    },
  );
  ended.catch(() => undefined);
  return { isDone: () => isDone, ended };
}

export function event(type = 'Happened', data: unknown = {}): DomainEvent {
  return { type, data };
}

export function events(count: number, type = 'Happened'): DomainEvent[] {
  return Array.from({ length: count }, (_, index) => event(type, { number: index + 1 }));
}

export function versionsOf(slice: { readonly events: readonly RecordedEvent[] }): number[] {
  return slice.events.map((each) => each.version);
}

/** The current versions of streams. */
export async function currentVersions(store: EventStore, streamIds: readonly string[]): Promise<number[]> {
  const slices = await Promise.all(streamIds.map((streamId) => store.readStream(streamId, { limit: 1 })));
  return slices.map(({ version }) => version);
}

/** How calls that came at once have ended. */
export async function outcomesOf<T>(
  calls: readonly Promise<T>[],
): Promise<{ readonly results: readonly T[]; readonly errors: readonly unknown[] }> {
  const outcomes = await Promise.allSettled(calls);
  return {
    results: outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : [])),
    errors: outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason as unknown] : [])),
  };
}

/** The capability of a store that declares it. */
export function having<Key extends keyof StoreCapabilities>(
  store: StoreUnderTest,
  key: Key,
): StoreCapabilities[Key] {
  const capability = store[key];
  if (capability === undefined) throw new Error(`The store declares the capability '${key}' but has none.`);
  return typeof capability === 'function'
    ? ((capability as (...args: never[]) => unknown).bind(store) as StoreCapabilities[Key])
    : (capability as StoreCapabilities[Key]);
}
