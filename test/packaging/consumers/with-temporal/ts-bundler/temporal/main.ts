import type { Client } from '@temporalio/client';
import type { EventStore } from 'temporal-event-store';
import { createEventStoreActivities, type EventStoreActivities } from 'temporal-event-store/activities';
import { TemporalEventStore } from 'temporal-event-store/client';
import { EventStorePlugin } from 'temporal-event-store/worker';
import { proxyEventStore } from 'temporal-event-store/workflow';
import { eventStoreAppend, type AppendInput } from 'temporal-event-store/workflows';

export const activities = (store: EventStore): EventStoreActivities => createEventStoreActivities({ store });
export const plugin = (store: EventStore): EventStorePlugin => new EventStorePlugin({ store });
export const remoteStore = (client: Client): EventStore =>
  new TemporalEventStore({ client, taskQueue: 'events' });
export const storeInWorkflow: EventStore = proxyEventStore();
export const append = (input: AppendInput): Promise<object> => eventStoreAppend(input);
