import type { ClientBase } from 'pg';
import { readRows } from './row-query.js';

/** Whether the server of a client is a standby. */
export async function isStandby(client: ClientBase): Promise<boolean> {
  const [[answer] = []] = await readRows(client, { text: 'select pg_catalog.pg_is_in_recovery()' });
  return answer === 't';
}
