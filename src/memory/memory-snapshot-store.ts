import {
  assertSnapshot,
  type Snapshot,
  type SnapshotModel,
  type SnapshotStore,
} from '../core/store/snapshot.js';
import type { JsonValue } from '../core/values/json.js';

/** Snapshots in the memory of the process. */
export class MemorySnapshotStore implements SnapshotStore {
  readonly #snapshots = new Map<
    string,
    { readonly modelVersion: number; readonly version: number; readonly state: string }
  >();

  async load(streamId: string, model: SnapshotModel): Promise<Snapshot | undefined> {
    assertSnapshot(streamId, model);
    const found = this.#snapshots.get(keyOf(streamId, model));
    return found?.modelVersion === model.version
      ? { version: found.version, state: JSON.parse(found.state) as JsonValue }
      : undefined;
  }

  async save(streamId: string, model: SnapshotModel, version: number, state: JsonValue): Promise<void> {
    assertSnapshot(streamId, model, { version, state });
    const found = this.#snapshots.get(keyOf(streamId, model));
    if (found?.modelVersion === model.version && found.version > version) return;
    this.#snapshots.set(keyOf(streamId, model), {
      modelVersion: model.version,
      version,
      state: JSON.stringify(state),
    });
  }

  async delete(streamId: string, model: SnapshotModel): Promise<void> {
    assertSnapshot(streamId, model);
    this.#snapshots.delete(keyOf(streamId, model));
  }
}

function keyOf(streamId: string, model: SnapshotModel): string {
  return JSON.stringify([streamId, model.name]);
}
