import type { JsonValue } from '../values/json.js';

/** A fact of the domain: a type and its data. */
export interface DomainEvent<Type extends string = string, Data = unknown> {
  readonly type: Type;
  readonly data: Data;
}

/**
 * Information about an event beside its data. Any JSON; the named keys, if present, are strings. `correlationId` has a
 * filter of its own.
 */
export interface EventMetadata {
  readonly correlationId?: string;
  readonly causationId?: string;
  readonly actor?: string;
  readonly workflowId?: string;
  readonly runId?: string;
  readonly [key: string]: JsonValue | undefined;
}

/** An event to append. */
export type EventToAppend<E extends DomainEvent = DomainEvent> = E & {
  /** Version of the shape of `data`, an integer from 1. Default 1. A store with a registry (`withEvents`) sets it. */
  readonly schemaVersion?: number;
  readonly metadata?: EventMetadata;
  /** Labels to filter by, kept in the given order. Default: none. */
  readonly tags?: readonly string[];
  /** When it happened: a Date or ISO 8601 with an offset, cut to milliseconds. Default: when it was recorded. */
  readonly occurredAt?: string | Date;
};

/** An event as a store returns it. For a union of events, `switch (event.type)` narrows `event.data`. */
export type RecordedEvent<E extends DomainEvent = DomainEvent> = E extends DomainEvent
  ? {
      /**
       * UUID, derived from the store, the stream, the commit and the event's place in it. No other event of any store
       * has it.
       */
      readonly id: string;
      readonly streamId: string;
      /** Place in the stream, from 1, without gaps. */
      readonly version: number;
      /** Place in the store's order, a safe integer. Positions grow and may have gaps. */
      readonly position: number;
      /** The commit id of its append; the same for all events of one append. */
      readonly commitId: string;
      readonly type: E['type'];
      readonly schemaVersion: number;
      readonly data: E['data'];
      readonly metadata: EventMetadata;
      readonly tags: readonly string[];
      /** ISO 8601 in UTC with milliseconds. */
      readonly occurredAt: string;
      /** When the store recorded it, by the store's clock. ISO 8601 in UTC with milliseconds. */
      readonly recordedAt: string;
    }
  : never;
