import {
  AggregateRepository,
  AggregateRoot,
  defineEvents,
  withEvents,
  type DomainEvent,
} from 'temporal-event-store';
import { createEventStoreActivities } from 'temporal-event-store/activities';
import { cachingEventStore } from 'temporal-event-store/cache';
import { AggregateClient } from 'temporal-event-store/client';
import { MemoryEventStore } from 'temporal-event-store/memory';
import { PGliteEventStore } from 'temporal-event-store/pglite';
import { PostgresEventStore } from 'temporal-event-store/postgres';
import { fixedClock } from 'temporal-event-store/testing';
import { EventStorePlugin } from 'temporal-event-store/worker';
// Their code is for the sandbox.
import type { proxyEventStore } from 'temporal-event-store/workflow';
import type { eventStoreAppend } from 'temporal-event-store/workflows';

type Opened = DomainEvent<'Opened', { readonly by: string }>;

class Account extends AggregateRoot<Opened> {
  static readonly category = 'Account';
  owner = '';
  protected apply(event: Opened): void {
    this.owner = event.data.by;
  }
  open(by: string): void {
    this.raise({ type: 'Opened', data: { by } });
  }
}

const doors: readonly unknown[] = [
  AggregateClient,
  EventStorePlugin,
  PGliteEventStore,
  PostgresEventStore,
  createEventStoreActivities,
];
const types: [typeof proxyEventStore, typeof eventStoreAppend] | undefined = undefined;
const store = cachingEventStore(new MemoryEventStore({ clock: fixedClock() }));
const events = defineEvents({ Opened: {} });

async function main(): Promise<void> {
  const accounts = new AggregateRepository(withEvents(store, events), Account);
  await accounts.execute('1', (account) => account.open('Zoë'));
  const { owner } = await accounts.load('1');
  if (owner !== 'Zoë' || doors.includes(undefined) || types !== undefined)
    throw new Error('Something is missing');
  // @ts-expect-error -- the types are there, and not `any`
  store.nothing;
  console.log('TypeScript with the resolution of Node 10 finds every front door and its types');
}

main().catch((error: unknown) => {
  console.error(error);
  process.exit(1);
});
