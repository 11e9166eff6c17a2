import { EventStoreError, nameErrors, type Fields } from './event-store-error.js';

/**
 * The position to read after is beyond the store's end: it belongs to another store, or the store was restored from an
 * older backup.
 */
export class PositionAheadOfStoreError extends EventStoreError {
  static {
    nameErrors(this, 'PositionAheadOfStoreError');
  }

  declare readonly code: 'POSITION_AHEAD_OF_STORE';
  /** The position that the reader gave. */
  readonly position: number;
  readonly storeId: string;
  /** The last position of the store. */
  readonly lastPosition: number;

  constructor(
    message: string,
    fields: Fields<Pick<PositionAheadOfStoreError, 'position' | 'storeId' | 'lastPosition'>>,
  ) {
    super('POSITION_AHEAD_OF_STORE', message, fields);
    this.position = fields.position;
    this.storeId = fields.storeId;
    this.lastPosition = fields.lastPosition;
  }
}

/** The store gave no answer, so the outcome of the call is unknown. Retry an append with this `commitId`. */
export class StoreUnavailableError extends EventStoreError {
  static {
    nameErrors(this, 'StoreUnavailableError');
  }

  declare readonly code: 'STORE_UNAVAILABLE';
  readonly commitId?: string;

  constructor(message: string, fields: Fields<{ readonly commitId?: string | undefined }> = {}) {
    super('STORE_UNAVAILABLE', message, fields);
    if (fields.commitId !== undefined) this.commitId = fields.commitId;
  }
}

/** The store's queue is full; nothing was stored. Try again later. */
export class StoreOverloadedError extends EventStoreError {
  static {
    nameErrors(this, 'StoreOverloadedError');
  }

  declare readonly code: 'STORE_OVERLOADED';

  constructor(message: string, options?: ErrorOptions) {
    super('STORE_OVERLOADED', message, options);
  }
}

/** The store was closed before the call; nothing was stored. */
export class StoreClosedError extends EventStoreError {
  static {
    nameErrors(this, 'StoreClosedError');
  }

  declare readonly code: 'STORE_CLOSED';

  constructor(message: string, options?: ErrorOptions) {
    super('STORE_CLOSED', message, options);
  }
}

/** The database refuses the credentials, or the role lacks rights. */
export class StoreAccessDeniedError extends EventStoreError {
  static {
    nameErrors(this, 'StoreAccessDeniedError');
  }

  declare readonly code: 'STORE_ACCESS_DENIED';

  constructor(message: string, options?: ErrorOptions) {
    super('STORE_ACCESS_DENIED', message, options);
  }
}

/**
 * The database found files damaged that the call needed. Repeating it doesn't help: an operator has to restore or
 * rebuild what is damaged. Whether an append was stored is unknown.
 */
export class StoreCorruptedError extends EventStoreError {
  static {
    nameErrors(this, 'StoreCorruptedError');
  }

  declare readonly code: 'STORE_CORRUPTED';

  constructor(message: string, options?: ErrorOptions) {
    super('STORE_CORRUPTED', message, options);
  }
}

/** The store's schema is missing, or older than this version of the library needs. Call `migrate()` as its owner. */
export class SchemaOutdatedError extends EventStoreError {
  static {
    nameErrors(this, 'SchemaOutdatedError');
  }

  declare readonly code: 'SCHEMA_OUTDATED';

  constructor(message: string, options?: ErrorOptions) {
    super('SCHEMA_OUTDATED', message, options);
  }
}

/** This server, for example a standby, can't guarantee to read in order. Read from the primary. */
export class UnsafeReadError extends EventStoreError {
  static {
    nameErrors(this, 'UnsafeReadError');
  }

  declare readonly code: 'UNSAFE_READ';

  constructor(message: string, options?: ErrorOptions) {
    super('UNSAFE_READ', message, options);
  }
}
