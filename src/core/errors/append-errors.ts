import { EventStoreError, nameErrors, type Fields } from './event-store-error.js';

/** The stream is not at the version that the append expected. Load again and decide again. */
export class VersionConflictError extends EventStoreError {
  static {
    nameErrors(this, 'VersionConflictError');
  }

  declare readonly code: 'VERSION_CONFLICT';
  readonly streamId: string;
  readonly expectedVersion: number | 'noStream' | 'streamExists';
  readonly actualVersion: number;

  constructor(
    message: string,
    fields: Fields<Pick<VersionConflictError, 'streamId' | 'expectedVersion' | 'actualVersion'>>,
  ) {
    super('VERSION_CONFLICT', message, fields);
    this.streamId = fields.streamId;
    this.expectedVersion = fields.expectedVersion;
    this.actualVersion = fields.actualVersion;
  }
}

/**
 * The commit id (or command id) was used on this stream before, with other content. Give each request an id of its own.
 */
export class CommitMismatchError extends EventStoreError {
  static {
    nameErrors(this, 'CommitMismatchError');
  }

  declare readonly code: 'COMMIT_MISMATCH';
  readonly streamId: string;
  readonly commitId: string;

  constructor(message: string, fields: Fields<Pick<CommitMismatchError, 'streamId' | 'commitId'>>) {
    super('COMMIT_MISMATCH', message, fields);
    this.streamId = fields.streamId;
    this.commitId = fields.commitId;
  }
}

/** `appendCommits` found some of its commits stored already, and appended nothing. Leave these out. */
export class CommitExistsError extends EventStoreError {
  static {
    nameErrors(this, 'CommitExistsError');
  }

  declare readonly code: 'COMMIT_EXISTS';
  readonly streamId: string;
  readonly commitIds: readonly string[];

  constructor(message: string, fields: Fields<Pick<CommitExistsError, 'streamId' | 'commitIds'>>) {
    super('COMMIT_EXISTS', message, fields);
    this.streamId = fields.streamId;
    this.commitIds = fields.commitIds;
  }
}

/** An event that the append's condition excludes was appended meanwhile. Read on from `after` and decide again. */
export class AppendConditionFailedError extends EventStoreError {
  static {
    nameErrors(this, 'AppendConditionFailedError');
  }

  declare readonly code: 'APPEND_CONDITION_FAILED';
  /** The settled position of the condition. */
  readonly after: number;
  /** The event in the way. It has no position when it is of an append that was committed together with this one. */
  readonly conflict: {
    readonly position?: number;
    readonly streamId: string;
    readonly type: string;
    readonly id: string;
  };

  constructor(message: string, fields: Fields<Pick<AppendConditionFailedError, 'after' | 'conflict'>>) {
    super('APPEND_CONDITION_FAILED', message, fields);
    this.after = fields.after;
    this.conflict = fields.conflict;
  }
}
