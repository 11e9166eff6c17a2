import {
  loadState,
  type LoadedState,
  type LoadOptions,
  type StateBuilder,
} from '../../../core/aggregates/load-state.js';
import { CommandFailedError } from '../../../core/errors/command-errors.js';
import { findEventStoreError } from '../../../core/errors/error-recognition.js';
import type { EventStore } from '../../../core/store/event-store.js';
import type { Snapshot } from '../../../core/store/snapshot.js';
import { describeError } from '../../../core/values/describe-error.js';

/** Called with a warning for operators. */
export type OnWarning = (message: string, attributes: Record<string, unknown>) => void;

/**
 * The state of an aggregate. A snapshot that can't be restored is passed over with a warning.
 *
 * @throws CommandFailedError for any error of the aggregate's own code; untyped, it would be retried for ever
 */
export function loadAggregate<S>(
  store: EventStore,
  streamId: string,
  builder: StateBuilder<S>,
  onWarning: OnWarning,
  options: Omit<LoadOptions<S>, 'onBrokenSnapshot'>,
): Promise<LoadedState<S>> {
  return loadState(store, streamId, namingTheEvent(streamId, builder), {
    ...options,
    onBrokenSnapshot: (error) => {
      onWarning('Snapshot not restored; the events are used', { streamId, error: describeError(error) });
    },
  });
}

/** Names the event that can't be applied. */
function namingTheEvent<S>(stream: string, builder: StateBuilder<S>): StateBuilder<S> {
  return {
    create() {
      try {
        return builder.create();
      } catch (error) {
        throw new CommandFailedError(
          `The state of '${stream}' can't be built: it failed at its beginning with ${describeError(error)}. Nothing was stored.`,
          { cause: findEventStoreError(error) ?? error },
        );
      }
    },
    restore: (snapshot: Snapshot) => builder.restore(snapshot),
    apply(state, event) {
      try {
        return builder.apply(state, event);
      } catch (error) {
        const { version, type } = event;
        throw new CommandFailedError(
          `The state of '${stream}' can't be built: event ${version}, '${type}', failed with ${describeError(error)}. ` +
            `Nothing was stored.`,
          { cause: findEventStoreError(error) ?? error },
        );
      }
    },
  };
}
