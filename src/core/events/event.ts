import type { JsonValue } from '../values/json.js';

/** A fact of the domain, as it is decided: a type and its data. */
export interface DomainEvent<Type extends string = string, Data = unknown> {
  readonly type: Type;
  readonly data: Data;
}

/**
 * What is known about an event beside its data. Any JSON; the named keys are strings where they are given.
 * `correlationId` can be searched by its own filter.
 */
export interface EventMetadata {
  readonly correlationId?: string;
  readonly causationId?: string;
  readonly actor?: string;
  readonly workflowId?: string;
  readonly runId?: string;
  readonly [key: string]: JsonValue | undefined;
}

/** An event on its way into a store. */
export type EventToAppend<E extends DomainEvent = DomainEvent> = E & {
  /** The version of the shape of `data`, a positive integer. Default 1. */
  readonly schemaVersion?: number;
  readonly metadata?: EventMetadata;
  /** Labels to filter by. Kept in order, as given. */
  readonly tags?: readonly string[];
  /** When it happened: a Date or ISO 8601 with an offset, cut to milliseconds. Default: when it was recorded. */
  readonly occurredAt?: string | Date;
};

/** An event as a store returns it. Distributes over a union of events, so that `switch (event.type)` narrows `event.data`. */
export type RecordedEvent<E extends DomainEvent = DomainEvent> = E extends DomainEvent
  ? {
      /** UUID, derived from the store, the stream, the commit and the event's place in it: no other event anywhere has it. */
      readonly id: string;
      readonly streamId: string;
      /** Place in the stream, from 1, without gaps. */
      readonly version: number;
      /** Place in the store's order: grows, may have gaps. A safe integer. */
      readonly position: number;
      /** The commit that it was appended with; the same for all events of one append. */
      readonly commitId: string;
      readonly type: E['type'];
      readonly schemaVersion: number;
      readonly data: E['data'];
      readonly metadata: EventMetadata;
      readonly tags: readonly string[];
      /** ISO 8601 in UTC with milliseconds. */
      readonly occurredAt: string;
      /** The store's clock at the append; ISO 8601 in UTC with milliseconds. */
      readonly recordedAt: string;
    }
  : never;
