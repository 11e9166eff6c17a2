import type { AppendOutcome } from './append/append-batch.js';
import type { AppendMember } from './append/append-member.js';
import type { EventNamespace } from './event-namespace.js';
import type { SqlPort } from './sql-port.js';

/** The database as a store uses it. Each driver has its own backend, and so has a transaction of the caller. */
export interface SqlBackend {
  readonly limits: SqlStoreLimits;
  /** The port for reads, snapshots and checkpoints. */
  readonly reads: SqlPort;
  readonly appends: Appends;
  readonly namespace: EventNamespace;
  /**
   * Called before the first read in order on a server.
   *
   * @throws UnsafeReadError if such a read could lose events
   */
  probe?(): Promise<void>;
}

export interface SqlStoreLimits {
  /** Most bytes of JSON in one commit. */
  readonly maxCommitBytes: number;
  /** Most milliseconds for which a read is repeated while the database can't be reached. */
  readonly retryTimeout: number;
  /** Most milliseconds that a read in order waits for an append that is under way. */
  readonly settleTimeout: number;
}

/** Sends appends to a database. */
export interface Appends {
  /**
   * @throws the driver's errors; `translateSqlError` makes typed errors of them · the signal's reason when it aborts
   *   before the append is sent
   */
  append(member: AppendMember, signal?: AbortSignal): Promise<AnsweredAppend>;
}

/** An outcome, and whether the append was sent again after a lost reply: a stored commit may then be its own. */
export type AnsweredAppend = AppendOutcome & { readonly wasRepeated: boolean };
