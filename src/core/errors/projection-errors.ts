import { EventStoreError, nameErrors, type Fields } from './event-store-error.js';

/**
 * A read model didn't reach a position in time, or its projection is blocked, failed, paused or stopped. The event is
 * stored; only the read model is late. The message says what the projection waits for.
 */
export class ProjectionBehindError extends EventStoreError {
  static {
    nameErrors(this, 'ProjectionBehindError');
  }

  declare readonly code: 'PROJECTION_BEHIND';
  readonly projection: string;
  /** The position that was waited for. */
  readonly position: number;
  /** The position that the projection had reached when it was last seen. */
  readonly reachedPosition: number;

  constructor(
    message: string,
    fields: Fields<Pick<ProjectionBehindError, 'projection' | 'position' | 'reachedPosition'>>,
  ) {
    super('PROJECTION_BEHIND', message, fields);
    this.projection = fields.projection;
    this.position = fields.position;
    this.reachedPosition = fields.reachedPosition;
  }
}

/** The projection was never started, or it was stopped. Call `ProjectionClient.start`. */
export class ProjectionNotRunningError extends EventStoreError {
  static {
    nameErrors(this, 'ProjectionNotRunningError');
  }

  declare readonly code: 'PROJECTION_NOT_RUNNING';
  readonly projection: string;

  constructor(message: string, fields: Fields<Pick<ProjectionNotRunningError, 'projection'>>) {
    super('PROJECTION_NOT_RUNNING', message, fields);
    this.projection = fields.projection;
  }
}

/** No worker of the task queue knows the projection, or the requested version of it. Deploy one that does. */
export class ProjectionUnknownError extends EventStoreError {
  static {
    nameErrors(this, 'ProjectionUnknownError');
  }

  declare readonly code: 'PROJECTION_UNKNOWN';
  /** What the workers know, such as `balances (version 2)`. */
  readonly known: readonly string[];

  constructor(message: string, fields: Fields<Pick<ProjectionUnknownError, 'known'>>) {
    super('PROJECTION_UNKNOWN', message, fields);
    this.known = fields.known;
  }
}

/** The projection is being rebuilt. Wait until that is done, or cancel the rebuild. */
export class RebuildUnderWayError extends EventStoreError {
  static {
    nameErrors(this, 'RebuildUnderWayError');
  }

  declare readonly code: 'REBUILD_UNDER_WAY';
  readonly projection: string;

  constructor(message: string, fields: Fields<Pick<RebuildUnderWayError, 'projection'>>) {
    super('REBUILD_UNDER_WAY', message, fields);
    this.projection = fields.projection;
  }
}

/** The projection is not being rebuilt, so there is nothing to cancel. */
export class RebuildNotUnderWayError extends EventStoreError {
  static {
    nameErrors(this, 'RebuildNotUnderWayError');
  }

  declare readonly code: 'REBUILD_NOT_UNDER_WAY';
  readonly projection: string;

  constructor(message: string, fields: Fields<Pick<RebuildNotUnderWayError, 'projection'>>) {
    super('REBUILD_NOT_UNDER_WAY', message, fields);
    this.projection = fields.projection;
  }
}

/** The projection has no earlier build to roll back to. */
export class NoPreviousBuildError extends EventStoreError {
  static {
    nameErrors(this, 'NoPreviousBuildError');
  }

  declare readonly code: 'NO_PREVIOUS_BUILD';
  readonly projection: string;

  constructor(message: string, fields: Fields<Pick<NoPreviousBuildError, 'projection'>>) {
    super('NO_PREVIOUS_BUILD', message, fields);
    this.projection = fields.projection;
  }
}

/** The event is not parked, or no longer, so it can't be retried or skipped. */
export class EventNotParkedError extends EventStoreError {
  static {
    nameErrors(this, 'EventNotParkedError');
  }

  declare readonly code: 'EVENT_NOT_PARKED';
  readonly projection: string;
  readonly eventId: string;

  constructor(message: string, fields: Fields<Pick<EventNotParkedError, 'projection' | 'eventId'>>) {
    super('EVENT_NOT_PARKED', message, fields);
    this.projection = fields.projection;
    this.eventId = fields.eventId;
  }
}
