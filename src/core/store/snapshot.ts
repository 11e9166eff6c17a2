import { InvalidArgumentError } from '../errors/invalid-argument-error.js';
import { findJsonFault } from '../values/json.js';
import type { Snapshot, SnapshotModel } from './capabilities.js';
import { assertOptions, integerFrom, isName } from './options.js';
import { assertStreamId } from './stream-id.js';

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
