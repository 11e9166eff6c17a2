import type { AppendOutcome } from './append/append-batch.js';
import type { AppendMember } from './append/append-member.js';
import type { EventNamespace } from './event-namespace.js';
import type { SqlPort } from './sql-port.js';

/** What a store needs of its database. Each driver has one, and so has a transaction of the caller's. */
export interface SqlBackend {
  readonly limits: SqlStoreLimits;
  /** Where it reads, and keeps snapshots and checkpoints. */
  readonly reads: SqlPort;
  readonly appends: Appends;
  readonly namespace: EventNamespace;
  /**
   * Called before the first read in order on a server.
   *
   * @throws UnsafeReadError where such a read could lose events
   */
  probe?(): Promise<void>;
}

export interface SqlStoreLimits {
  /** Most bytes of JSON in one commit. */
  readonly maxCommitBytes: number;
  /** Most milliseconds that a read is tried again for when the database can't be reached. */
  readonly retryTimeout: number;
  /** Most milliseconds that a read in order waits for an append that is under way. */
  readonly settleTimeout: number;
}

/** How appends come to a database. */
export interface Appends {
  /**
   * @throws whatever the driver throws; `translateSqlError` makes a typed error of it · the signal's reason when it aborts
   *   before the append is sent
   */
  append(member: AppendMember, signal?: AbortSignal): Promise<AnsweredAppend>;
}

/** An outcome, and whether the append was sent again after a lost reply: what is stored may then be its own. */
export type AnsweredAppend = AppendOutcome & { readonly wasRepeated: boolean };
