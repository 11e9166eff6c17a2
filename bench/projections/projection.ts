import type { Pool } from 'pg';
import type { DomainEvent, Projection } from 'temporal-event-store';
import type { SqlProjectionContext } from 'temporal-event-store/postgres';
import type { EventData } from '../contenders/contender.js';
import { defineProjection, PostgresProjectionSink } from '../library.js';
import type { types } from '../workload/events.js';
import { applyEvents, createBalance, type StatementPer } from './read-model.js';

type BenchEvent = DomainEvent<(typeof types)[number], EventData>;

export const projectionName = 'balances';

/** As a user writes it: a handler for each type of event, or one for pages. */
export function defineBalances(
  pool: Pool,
  statementPer: StatementPer,
  pageSize?: number,
): Projection<BenchEvent, SqlProjectionContext> {
  const shared = {
    name: projectionName,
    sink: new PostgresProjectionSink({ pool }),
    init: ({ client }: SqlProjectionContext) => client.query(createBalance),
    ...(pageSize !== undefined && { pageSize }),
  };
  if (statementPer === 'page') {
    return defineProjection<BenchEvent, SqlProjectionContext>({
      ...shared,
      handlePage: (events, { client }) => applyEvents(client, events, 'page'),
    });
  }
  const apply = (event: { streamId: string; data: EventData }, { client }: SqlProjectionContext) =>
    applyEvents(client, [event], 'event');
  return defineProjection<BenchEvent, SqlProjectionContext>({
    ...shared,
    handlers: { Deposited: apply, Withdrawn: apply, TransferRequested: apply, TransferCompleted: apply },
  });
}
