import { InvalidArgumentError } from '../errors/invalid-argument-error.js';
import type { RecordedEvent } from '../events/event.js';
import type { EventStore } from '../store/event-store.js';
import type { Snapshot } from '../store/snapshot.js';
import { findJsonFault, type JsonValue } from '../values/json.js';

/** How the state of an aggregate or decider is built from events. */
export interface StateBuilder<S> {
  create(): S;
  restore(snapshot: Snapshot): S;
  apply(state: S, event: RecordedEvent): S;
}

/** A state and the version of the stream that it stands for. */
export interface LoadedState<S> {
  readonly state: S;
  readonly version: number;
}

interface LaterSnapshot {
  readonly after: number;
  load(): Promise<Snapshot | undefined>;
}

export interface LoadOptions<S> {
  readonly pageSize?: number | undefined;
  readonly pageBytes?: number | undefined;
  readonly snapshot?: Snapshot | undefined;
  /**
   * Instead of `snapshot`, when most streams are too short to have one: it is asked for only after that many events.
   */
  readonly laterSnapshot?: LaterSnapshot | undefined;
  /** Called with why a snapshot can't be restored; the events are then read from the first. Default: it is thrown. */
  readonly onBrokenSnapshot?: ((error: unknown) => void) | undefined;
  /** An earlier state, which takes in the events after it. */
  readonly from?: LoadedState<S> | undefined;
  /** The last version to load. */
  readonly toVersion?: number | undefined;
  /** Stops before the first event that occurred after this time, ISO 8601 in UTC. */
  readonly until?: string | undefined;
}

/** The state of a stream: from an earlier state or a snapshot, if there is one, and the events after it. */
export async function loadState<S>(
  store: EventStore,
  streamId: string,
  builder: StateBuilder<S>,
  options: LoadOptions<S>,
): Promise<LoadedState<S>> {
  const { pageSize, pageBytes, toVersion, until } = options;
  let later = options.laterSnapshot;
  let { state, version } = options.from ??
    restored(builder, options) ?? { state: builder.create(), version: 0 };
  for (;;) {
    const limit = later === undefined ? pageSize : Math.min(later.after, pageSize ?? Infinity);
    const slice = await store.readStream(streamId, {
      fromVersion: version + 1,
      ...(toVersion !== undefined && { toVersion }),
      ...(limit !== undefined && { limit }),
      ...(pageBytes !== undefined && { maxBytes: pageBytes }),
    });
    // The store has lost events of this state, for example because a backup was restored.
    if (slice.version < version) {
      return loadState(store, streamId, builder, {
        ...options,
        from: undefined,
        snapshot: undefined,
        laterSnapshot: undefined,
      });
    }
    for (const event of slice.events) {
      if (until !== undefined && event.occurredAt > until) return { state, version };
      state = builder.apply(state, event);
      version = event.version;
    }
    if (slice.isEnd) return { state, version };
    if (later === undefined) continue;
    const snapshot = await later.load();
    later = undefined;
    if (snapshot !== undefined && snapshot.version > version) {
      ({ state, version } = restored(builder, { ...options, snapshot }) ?? { state, version });
    }
  }
}

function restored<S>(
  builder: StateBuilder<S>,
  { snapshot, onBrokenSnapshot }: LoadOptions<S>,
): LoadedState<S> | undefined {
  if (snapshot === undefined) return undefined;
  try {
    return { state: builder.restore(snapshot), version: snapshot.version };
  } catch (error) {
    if (onBrokenSnapshot === undefined) throw error;
    onBrokenSnapshot(error);
    return undefined;
  }
}

/** @throws {@link InvalidArgumentError} when a state can't be written as JSON */
export function assertStateIsJson(state: JsonValue, category: string): JsonValue {
  const fault = findJsonFault(state);
  if (fault === undefined) return state;
  throw new InvalidArgumentError(
    `The state of ${category} can't be written as JSON: state${fault.path} ${fault.problem}. ` +
      `Override toSnapshot and restoreSnapshot, or keep plain data in a decider's state.`,
  );
}
