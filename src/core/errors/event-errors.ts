import { EventStoreError, nameErrors, type Fields } from './event-store-error.js';
import type { SchemaIssue } from './schema-issue.js';

/** An event would not come back from the store as it was given, or does not fit its schema. */
export class InvalidEventError extends EventStoreError {
  static {
    nameErrors(this, 'InvalidEventError');
  }

  declare readonly code: 'INVALID_EVENT';
  /** The path of the first fault, such as `events[0].data.lines[2].price`. */
  readonly path: string;
  /** The first 10 places where it does not fit its schema. Absent for other faults. */
  declare readonly issues?: readonly SchemaIssue[];
  /** The number of faults beyond `issues`. */
  declare readonly moreIssues?: number;

  constructor(message: string, fields: Fields<Pick<InvalidEventError, 'path' | 'issues' | 'moreIssues'>>) {
    super('INVALID_EVENT', message, fields);
    this.path = fields.path;
    if (fields.issues !== undefined) this.issues = fields.issues;
    if (fields.moreIssues !== undefined) this.moreIssues = fields.moreIssues;
  }
}

/** A commit, or a state or page that Temporal has to carry, is larger than its limit. */
export class EventTooLargeError extends EventStoreError {
  static {
    nameErrors(this, 'EventTooLargeError');
  }

  declare readonly code: 'EVENT_TOO_LARGE';
  /** Bytes of JSON. */
  readonly size: number;
  /** Bytes of JSON. */
  readonly limit: number;

  constructor(message: string, fields: Fields<Pick<EventTooLargeError, 'size' | 'limit'>>) {
    super('EVENT_TOO_LARGE', message, fields);
    this.size = fields.size;
    this.limit = fields.limit;
  }
}

/**
 * A recorded event has a newer schema version than this process knows. Deploy the release that knows it; its processes
 * can read the event.
 */
export class EventTooNewError extends EventStoreError {
  static {
    nameErrors(this, 'EventTooNewError');
  }

  declare readonly code: 'EVENT_TOO_NEW';
  readonly streamId: string;
  readonly version: number;
  readonly eventType: string;
  readonly schemaVersion: number;
  /** The newest schema version that this process knows. */
  readonly knownSchemaVersion: number;

  constructor(
    message: string,
    fields: Fields<
      Pick<EventTooNewError, 'streamId' | 'version' | 'eventType' | 'schemaVersion' | 'knownSchemaVersion'>
    >,
  ) {
    super('EVENT_TOO_NEW', message, fields);
    this.streamId = fields.streamId;
    this.version = fields.version;
    this.eventType = fields.eventType;
    this.schemaVersion = fields.schemaVersion;
    this.knownSchemaVersion = fields.knownSchemaVersion;
  }
}
