import { assertOptions, integerFrom, isName } from '../options/options.js';

/** How far a reader has come in a store: everything up to the position is done. */
export interface Checkpoint {
  readonly position: number;
  /** The store that the position belongs to. */
  readonly storeId: string;
}

export interface CheckpointStore {
  load(name: string): Promise<Checkpoint | undefined>;
  /**
   * Never goes back within a store: a lower position is ignored. A checkpoint of another store replaces the old one.
   */
  save(name: string, checkpoint: Checkpoint): Promise<void>;
  delete(name: string): Promise<void>;
}

/** Checks the arguments of a checkpoint store. @throws InvalidArgumentError */
export function assertCheckpoint(name: string, checkpoint?: Checkpoint): void {
  assertOptions('a checkpoint store', { name }, { name: isName }, ['name']);
  if (checkpoint === undefined) return;
  assertOptions('a checkpoint', checkpoint, { position: integerFrom(0), storeId: isName }, [
    'position',
    'storeId',
  ]);
}
