import {
  assertSnapshot,
  type Snapshot,
  type SnapshotModel,
  type SnapshotStore,
} from '../core/store/snapshot.js';
import type { JsonValue } from '../core/values/json.js';
import { eq, le, ne } from './operators.js';
import { statement, type SqlPort } from './sql-port.js';

const load = statement(`select version, state from __schema__.snapshots
  where stream_id ${eq} $1 and model ${eq} $2 and model_version ${eq} $3`);
const save =
  statement(`insert into __schema__.snapshots as s (stream_id, model, model_version, version, state)
  values ($1, $2, $3, $4, $5)
  on conflict (stream_id, model) do update
  set model_version = excluded.model_version, version = excluded.version, state = excluded.state, saved_at = pg_catalog.now()
  where s.model_version ${ne} excluded.model_version or s.version ${le} excluded.version`);
const remove = statement(`delete from __schema__.snapshots where stream_id ${eq} $1 and model ${eq} $2`);

/** Snapshots in the store's own database. */
export class SqlSnapshotStore implements SnapshotStore {
  readonly #port: SqlPort;

  constructor(port: SqlPort) {
    this.#port = port;
  }

  async load(streamId: string, model: SnapshotModel): Promise<Snapshot | undefined> {
    assertSnapshot(streamId, model);
    const [row] = await this.#port.query(load, [streamId, model.name, model.version]);
    return row && { version: Number(row[0]), state: JSON.parse(row[1] as string) as JsonValue };
  }

  async save(streamId: string, model: SnapshotModel, version: number, state: JsonValue): Promise<void> {
    assertSnapshot(streamId, model, { version, state });
    await this.#port.query(save, [streamId, model.name, model.version, version, JSON.stringify(state)]);
  }

  async delete(streamId: string, model: SnapshotModel): Promise<void> {
    assertSnapshot(streamId, model);
    await this.#port.query(remove, [streamId, model.name]);
  }
}
