import type { EventStore, StoreCapabilities } from 'temporal-event-store';
import { PGliteEventStore } from 'temporal-event-store/pglite';
import { PostgresEventStore } from 'temporal-event-store/postgres';

export const stores: readonly (() => Promise<EventStore & StoreCapabilities>)[] = [
  () => PGliteEventStore.open({ dataDir: './events' }),
  () => PostgresEventStore.connect({ connectionString: 'postgres://127.0.0.1/orders' }),
];
