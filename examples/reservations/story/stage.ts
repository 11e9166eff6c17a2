import type { Client } from '@temporalio/client';
import type { EventStore, StoreCapabilities } from 'temporal-event-store';
import type { ProjectionClient } from 'temporal-event-store/client';

/** What a chapter of the story has to play with. */
export interface Stage {
  readonly store: EventStore & StoreCapabilities;
  readonly client: Client;
  readonly projections: ProjectionClient;
  /** A name that is of this run only: a store on a server keeps those of earlier runs. */
  readonly named: (name: string) => string;
  readonly title: (text: string) => void;
  readonly say: (text: string) => void;
}

export type Chapter = (stage: Stage) => Promise<void>;
