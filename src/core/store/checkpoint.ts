import type { Checkpoint } from './capabilities.js';
import { assertOptions, integerFrom, isName } from './options.js';

/** Checks the arguments of a checkpoint store. @throws InvalidArgumentError */
export function assertCheckpoint(name: string, checkpoint?: Checkpoint): void {
  assertOptions('a checkpoint store', { name }, { name: isName }, ['name']);
  if (checkpoint === undefined) return;
  assertOptions('a checkpoint', checkpoint, { position: integerFrom(0), storeId: isName }, [
    'position',
    'storeId',
  ]);
}
