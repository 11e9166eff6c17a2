import { assertCheckpoint, type Checkpoint, type CheckpointStore } from '../core/store/checkpoint.js';

/** Checkpoints in the memory of the process. */
export class MemoryCheckpointStore implements CheckpointStore {
  readonly #checkpoints = new Map<string, Checkpoint>();

  async load(name: string): Promise<Checkpoint | undefined> {
    assertCheckpoint(name);
    const found = this.#checkpoints.get(name);
    return found && { ...found };
  }

  async save(name: string, checkpoint: Checkpoint): Promise<void> {
    assertCheckpoint(name, checkpoint);
    const { position, storeId } = checkpoint;
    const found = this.#checkpoints.get(name);
    if (found?.storeId === storeId && found.position > position) return;
    this.#checkpoints.set(name, { position, storeId });
  }

  async delete(name: string): Promise<void> {
    assertCheckpoint(name);
    this.#checkpoints.delete(name);
  }
}
