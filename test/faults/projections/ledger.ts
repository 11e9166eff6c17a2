import { defineProjection, type DomainEvent, type Projection, type ShardKey } from 'temporal-event-store';
import type { SqlProjectionContext } from 'temporal-event-store/postgres';
import type { LedgerSink } from './ledger-sink.js';

export type LedgerEvent =
  | DomainEvent<'Posted', { readonly amount: number }>
  /** Can't be applied until its stream is in `audit.mended`. */
  | DomainEvent<'Spoilt', { readonly amount: number }>;

/** Names the projection, and the schema of its read model. */
export const ledger = 'ledger';

/** Who believes to own the shard, and writes a page. */
export interface Owner extends ShardKey {
  readonly token: number;
}

export type LedgerContext = SqlProjectionContext & { readonly owner: Owner };

// It refuses nothing, so that what is lost, repeated or out of order is written down, and found.
const tables = `
  create table balances (
    stream text collate "C" primary key, balance bigint not null, events bigint not null, version bigint not null,
    leaps bigint not null default 0
  );
  create table applied (
    place bigserial primary key, event_id uuid not null, stream text collate "C" not null, version bigint not null,
    position bigint not null, shard integer not null, token bigint not null
  );
  create index on applied (event_id)`;

const apply = `with balance as (
    insert into balances as b values ($1, $2, 1, $3, ($3::bigint <> 1)::integer)
    on conflict (stream) do update set balance = b.balance + excluded.balance, events = b.events + 1,
      version = excluded.version, leaps = b.leaps + (excluded.version <> b.version + 1)::integer
  )
  insert into applied (event_id, stream, version, position, shard, token) values ($4, $1, $3, $5, $6, $7)`;

/** What the version of the projection makes of an amount. */
export const factors: Readonly<Record<number, number>> = { 1: 1, 2: 100 };

/** Balances of streams, and a line for each event that was applied. */
export function defineLedger(
  sink: LedgerSink,
  { version, shards }: { readonly version: number; readonly shards: number },
): Projection<LedgerEvent, LedgerContext> {
  const post = async (
    { id, streamId, version: place, position, data }: Posting,
    { client, owner }: LedgerContext,
  ): Promise<void> => {
    sink.strike.at('in a page');
    const amount = data.amount * (factors[version] ?? 0);
    await client.query(apply, [streamId, amount, place, id, position, owner.shard, owner.token]);
  };
  return defineProjection<LedgerEvent, LedgerContext>({
    name: ledger,
    version,
    shards,
    sink: sink.forLedger,
    pageSize: 50,
    maxAttempts: 2,
    init: async ({ client }) => {
      for (const statement of tables.split(';')) await client.query(statement);
    },
    handlers: {
      Posted: post,
      Spoilt: async (event, context) => {
        const { rows } = await context.client.query('select from audit.mended where stream = $1', [
          event.streamId,
        ]);
        if (rows.length === 0) throw new Error('spoilt');
        await post(event, context);
      },
    },
  });
}

interface Posting {
  readonly id: string;
  readonly streamId: string;
  readonly version: number;
  readonly position: number;
  readonly data: { readonly amount: number };
}
