import type { Checkpoint } from './capabilities.js';
import { assertOptions, integerFrom, isName } from './options.js';

/** Checks the arguments of a checkpoint store. @throws InvalidArgumentError */
export function assertCheckpoint(name: string, checkpoint?: Checkpoint): void {
  assertOptions('a checkpoint store', { name: name ?? null }, { name: isName });
  if (checkpoint === undefined) return;
  const { position = null, storeId = null } = checkpoint ?? {};
  assertOptions(
    'a checkpoint',
    { ...checkpoint, position, storeId },
    { position: integerFrom(0), storeId: isName },
  );
}
