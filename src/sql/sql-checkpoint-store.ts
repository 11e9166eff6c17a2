import { assertCheckpoint, type Checkpoint, type CheckpointStore } from '../core/store/checkpoint.js';
import { eq, le, ne } from './operators.js';
import { statement, type SqlPort } from './sql-port.js';

const load = statement(`select position, store_id from __schema__.checkpoints where name ${eq} $1`);
const save = statement(`insert into __schema__.checkpoints as c (name, store_id, position) values ($1, $2, $3)
  on conflict (name) do update set store_id = excluded.store_id, position = excluded.position, saved_at = pg_catalog.now()
  where c.store_id ${ne} excluded.store_id or c.position ${le} excluded.position`);
const remove = statement(`delete from __schema__.checkpoints where name ${eq} $1`);

/** Checkpoints in the store's own database. */
export class SqlCheckpointStore implements CheckpointStore {
  readonly #port: SqlPort;

  constructor(port: SqlPort) {
    this.#port = port;
  }

  async load(name: string): Promise<Checkpoint | undefined> {
    assertCheckpoint(name);
    const [row] = await this.#port.query(load, [name]);
    return row && { position: Number(row[0]), storeId: row[1] as string };
  }

  async save(name: string, checkpoint: Checkpoint): Promise<void> {
    assertCheckpoint(name, checkpoint);
    await this.#port.query(save, [name, checkpoint.storeId, checkpoint.position]);
  }

  async delete(name: string): Promise<void> {
    assertCheckpoint(name);
    await this.#port.query(remove, [name]);
  }
}
