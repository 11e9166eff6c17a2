import { snapshotModelOf } from '../../../core/aggregates/aggregate-repository.js';
import { AggregateRoot } from '../../../core/aggregates/aggregate-root.js';
import {
  assertStateIsJson,
  type LoadedState,
  type LoadOptions,
} from '../../../core/aggregates/load-state.js';
import { assertSnapshotIsWhole } from '../../../core/aggregates/whole-snapshot.js';
import type { SnapshotStore } from '../../../core/store/snapshot.js';
import { describeError } from '../../../core/values/describe-error.js';
import type { JsonValue } from '../../../core/values/json.js';
import type { AggregateModel } from './aggregate-model.js';
import type { AnyAggregate } from './aggregate-registry.js';
import type { OnWarning } from './load-aggregate.js';

export interface AggregateSnapshotsOptions {
  readonly snapshots: SnapshotStore | undefined;
  /** Events between two snapshots of a stream. */
  readonly snapshotEvery: number;
  readonly onWarning: OnWarning;
}

/** The snapshots of one stream, while a batch of its commands is executed. */
export interface StreamSnapshots {
  /** How to load the state with a snapshot. */
  find(): Promise<Pick<LoadOptions<unknown>, 'snapshot' | 'laterSnapshot'>>;
  /** Notes the version that the batch begins with. */
  begin(version: number): void;
  /** Saves a snapshot, if enough events came since the last. Never rejects. */
  saveIfDue(loaded: LoadedState<unknown>): Promise<void>;
}

/** Events of a stream that are read before its snapshot is looked up. */
const longestFirstPage = 500;

/** Makes snapshots while commands are executed, for aggregates whose whole state a snapshot is known to hold. */
export class AggregateSnapshots {
  readonly #options: AggregateSnapshotsOptions;
  /** Aggregates whose snapshots don't hold their whole state. */
  readonly #turnedOff = new Set<AnyAggregate>();
  /** Aggregates whose last stream had no snapshot: their events are read first, since reading both takes twice as long. */
  readonly #rare = new Set<AnyAggregate>();

  constructor(options: AggregateSnapshotsOptions) {
    this.#options = options;
  }

  of(aggregate: AnyAggregate, model: AggregateModel<unknown>, streamId: string): StreamSnapshots {
    const { snapshots, snapshotEvery, onWarning } = this.#options;
    const isUsed = isMadeForSnapshots(aggregate) && !this.#turnedOff.has(aggregate);
    const store = isUsed ? snapshots : undefined;
    const snapshotModel = snapshotModelOf(aggregate);
    let last: number | undefined;
    return {
      find: async () => {
        if (store === undefined) return {};
        if (this.#rare.has(aggregate)) {
          const load = (): ReturnType<SnapshotStore['load']> => {
            this.#rare.delete(aggregate);
            return store.load(streamId, snapshotModel);
          };
          return { laterSnapshot: { after: Math.min(snapshotEvery, longestFirstPage), load } };
        }
        const snapshot = await store.load(streamId, snapshotModel);
        if (snapshot === undefined) this.#rare.add(aggregate);
        return { snapshot };
      },
      begin(version) {
        last ??= version;
      },
      saveIfDue: async (loaded) => {
        const { version, state } = loaded;
        const isDue = Math.floor(version / snapshotEvery) > Math.floor((last ?? version) / snapshotEvery);
        last = version;
        if (store === undefined || !isDue) return;
        try {
          const shown = assertStateIsJson(model.show(state), aggregate.category);
          if (this.#isWhole(aggregate, model, loaded, shown, streamId)) {
            await store.save(streamId, snapshotModel, version, shown);
          }
        } catch (error) {
          onWarning('Snapshot failed', { streamId, error: describeError(error) });
        }
      },
    };
  }

  /** Whether the state can be restored from its snapshot; if not, snapshots of the aggregate are no longer made or read. */
  #isWhole(
    aggregate: AnyAggregate,
    model: AggregateModel<unknown>,
    loaded: LoadedState<unknown>,
    snapshot: JsonValue,
    streamId: string,
  ): boolean {
    const { category } = aggregate;
    try {
      assertSnapshotIsWhole(model, loaded, snapshot, category);
      return true;
    } catch (error) {
      this.#turnedOff.add(aggregate);
      this.#options.onWarning('Snapshots turned off for an aggregate', {
        category,
        streamId,
        error: describeError(error),
      });
      return false;
    }
  }
}

/**
 * Whether an aggregate allows snapshots. A class may keep state that they can't see (`#private` fields, closures), so
 * it declares that they hold all of it: by a `snapshotVersion`, or by methods of its own.
 */
function isMadeForSnapshots(aggregate: AnyAggregate): boolean {
  if (typeof aggregate !== 'function' || aggregate.snapshotVersion !== undefined) return true;
  const { prototype } = aggregate as { readonly prototype: AggregateRoot };
  const hasOwn = (method: 'toSnapshot' | 'restoreSnapshot'): boolean =>
    prototype[method] !== AggregateRoot.prototype[method];
  return hasOwn('toSnapshot') && hasOwn('restoreSnapshot');
}
