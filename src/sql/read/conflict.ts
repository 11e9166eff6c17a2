import type { ConflictingEvent } from '../../core/store/append/append-condition.js';
import { eq } from '../operators.js';
import { statement, type SqlPort } from '../sql-port.js';

const eventAt = statement(`select stream_id, type, id from __schema__.events where position ${eq} $1`);
const end =
  statement(`select s.store_id, coalesce((select pg_catalog.max(e.position) from __schema__.events e), 0)
  from __schema__.store s`);

/** The event at the position that was found in the way of a condition. */
export async function readConflict(port: SqlPort, position: number): Promise<ConflictingEvent> {
  const [[streamId, type, id] = []] = await port.query(eventAt, [position]);
  return { position, streamId: streamId as string, type: type as string, id: id as string };
}

export async function readEnd(
  port: SqlPort,
): Promise<{ readonly storeId: string; readonly lastPosition: number }> {
  const [[storeId, lastPosition] = []] = await port.query(end, []);
  return { storeId: storeId as string, lastPosition: Number(lastPosition) };
}
