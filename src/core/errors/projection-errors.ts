import { EventStoreError, nameErrors, type Fields } from './event-store-error.js';

/** A projection didn't reach a position in time, or can't for now. */
export class ProjectionBehindError extends EventStoreError {
  static {
    nameErrors(this, 'ProjectionBehindError');
  }

  declare readonly code: 'PROJECTION_BEHIND';
  readonly projection: string;
  /** What was waited for. */
  readonly position: number;
  /** Where it was last seen. */
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

/** A projection was never started, or it was stopped. Start it. */
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

/** No worker of the task queue knows a projection, or the version of it that was asked for. */
export class ProjectionUnknownError extends EventStoreError {
  static {
    nameErrors(this, 'ProjectionUnknownError');
  }

  declare readonly code: 'PROJECTION_UNKNOWN';
  /** What the workers know instead, such as `balances (version 2)`. */
  readonly known: readonly string[];

  constructor(message: string, fields: Fields<Pick<ProjectionUnknownError, 'known'>>) {
    super('PROJECTION_UNKNOWN', message, fields);
    this.known = fields.known;
  }
}

/** A projection is being rebuilt. Wait until it is done, or cancel the rebuild. */
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

/** There is no rebuild to cancel. */
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

/** A projection has no earlier build to roll back to. */
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

/** An event is not parked, or not any more, so it can be neither retried nor skipped. */
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
