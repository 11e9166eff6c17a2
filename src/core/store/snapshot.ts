import { InvalidArgumentError } from '../errors/invalid-argument-error.js';
import { assertOptions, integerFrom, isName } from '../options/options.js';
import { findJsonFault, type JsonValue } from '../values/json.js';
import { assertStreamId } from './stream-id.js';

/** Names the state that a snapshot holds. Snapshots of another version aren't read. */
export interface SnapshotModel {
  readonly name: string;
  readonly version: number;
}

export interface Snapshot {
  /** Version of the stream at which the state was taken. */
  readonly version: number;
  readonly state: JsonValue;
}

/** Keeps one snapshot for each stream and model name. Snapshots only save time: losing them loses nothing. */
export interface SnapshotStore {
  /** The snapshot of this model name and version; undefined if none is stored, or one of another version. */
  load(streamId: string, model: SnapshotModel): Promise<Snapshot | undefined>;
  /** Never goes back: with the same model version, an older stream version is ignored. */
  save(streamId: string, model: SnapshotModel, version: number, state: JsonValue): Promise<void>;
  delete(streamId: string, model: SnapshotModel): Promise<void>;
}

/** Checks the arguments of a snapshot store. @throws {@link InvalidArgumentError} */
export function assertSnapshot(streamId: string, model: SnapshotModel, snapshot?: Snapshot): void {
  assertStreamId(streamId);
  assertOptions('a snapshot model', model, { name: isName, version: integerFrom(1) }, ['name', 'version']);
  if (snapshot === undefined) return;
  assertOptions('a snapshot', { version: snapshot.version }, { version: integerFrom(0) }, ['version']);
  const fault = findJsonFault(snapshot.state);
  if (fault !== undefined) {
    throw new InvalidArgumentError(
      `A snapshot of ${model.name} must be JSON: state${fault.path} ${fault.problem}.`,
    );
  }
}
