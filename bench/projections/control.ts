import { deepStrictEqual } from 'node:assert/strict';
import { runSql } from '../contenders/pg-pool.js';
import { byHand } from './by-hand.js';
import type { ProjectionPlace } from './contender.js';
import { auditBalance } from './read-model.js';

/** What compares a read model with the log is worth something only if it finds what is put in on purpose. */
export async function assertAuditFindsFaults(place: ProjectionPlace, events: number): Promise<void> {
  const { source, schema } = byHand;
  const load = { pageSize: 1000, statementPer: 'page', lastRef: events, maxSeconds: Infinity } as const;
  const { lastRef } = await byHand.catchUp(place, load);
  const one = (order: string) => `(select account from balance order by account ${order} limit 1)`;
  await runSql(place.url, [
    `set search_path = ${schema}`,
    `update balance set events = events + 1, amount = amount + 1 where account = ${one('asc')}`,
    `update balance set events = events - 2 where account = ${one('desc')}`,
    `update balance set last_ref = last_ref - 1 where account = ${one('offset 1')}`,
  ]);
  deepStrictEqual(await auditBalance(source, place.url, schema, lastRef), {
    lost: 2,
    duplicated: 1,
    foldedWrongly: 2,
  });
}
