import type { Client } from '@temporalio/client';
import type { EventStore, StoreCapabilities } from 'temporal-event-store';
import type { AggregateClient, ProjectionClient } from 'temporal-event-store/client';
import type { ReadModelDatabase } from '../../read-model-database.js';
import type { PaymentAggregate } from '../domain/payment-aggregate.js';
import type { PaymentEvent } from '../domain/payment-event.js';
import type { EventBus } from '../events/event-bus.js';
import type { Outside } from './outside.js';

/** What a chapter of the story has to play with. */
export interface Stage {
  readonly client: Client;
  readonly taskQueue: string;
  readonly store: EventStore & StoreCapabilities;
  /** Where the worker publishes. */
  readonly bus: EventBus<PaymentEvent>;
  /** What the worker's activities logged, a line each. */
  readonly log: readonly string[];
  /** Of the Temporal server. */
  readonly address: string;
  readonly outside: Outside;
  readonly payments: AggregateClient<typeof PaymentAggregate>;
  readonly readModels: ReadModelDatabase;
  readonly projections: ProjectionClient;
  /** The id of the n-th payment of this run: a store on a server keeps those of earlier runs. */
  readonly payment: (number: number) => string;
  /** Runs a workflow of the worker, and gives its result. */
  readonly execute: <T extends (input: never) => Promise<unknown>>(
    workflowType: string,
    input: Parameters<T>[0],
  ) => Promise<Awaited<ReturnType<T>>>;
  readonly title: (text: string) => void;
  readonly say: (text: string) => void;
}

/** A part of the story: rows of the table in the README of this example, which it names. */
export type Chapter = (stage: Stage) => Promise<void>;
