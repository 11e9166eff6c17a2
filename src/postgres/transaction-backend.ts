import type { ClientBase } from 'pg';
import { InvalidArgumentError } from '../core/errors/invalid-argument-error.js';
import { TurnQueue } from '../core/values/turn-queue.js';
import { appendMembers } from '../sql/append/append-batch.js';
import type { AppendMember } from '../sql/append/append-member.js';
import { lockValues } from '../sql/append/tag-locks.js';
import type { EventNamespace } from '../sql/event-namespace.js';
import { checkedPort } from '../sql/migrations/checked-port.js';
import { eq } from '../sql/operators.js';
import type { AnsweredAppend, Appends, SqlBackend, SqlStoreLimits } from '../sql/sql-backend.js';
import { statement, type SqlPort, type SqlRow, type SqlStatement, type SqlValue } from '../sql/sql-port.js';
import { watchClient } from './client-facts.js';
import { NoAnswerError } from './no-answer.js';
import { cutOff, keyOfClient } from './pg-internals.js';
import type { PreparedStatements } from './postgres-port.js';

/** Most milliseconds that such a transaction may be idle: readers in order wait for it. */
const idleTimeout = 30_000;

const settings = statement(`select pg_catalog.current_setting('transaction_isolation'),
  case when pg_catalog.current_setting('idle_in_transaction_session_timeout') ${eq} '0'
    then pg_catalog.set_config('idle_in_transaction_session_timeout', $1, true) end`);

const mayAppend = statement(
  'select __schema__.may_append_under_condition($1::pg_catalog.text[], $2::integer)',
);

/** One queue for each client: `pg` will stop taking a query while another runs, but calls of the store may overlap. */
const turns = new WeakMap<object, TurnQueue>();

/** A transaction that its caller begins and commits. */
export class TransactionBackend implements SqlBackend {
  readonly limits: SqlStoreLimits;
  readonly reads: SqlPort;
  readonly appends: Appends;
  readonly namespace: EventNamespace;

  constructor(
    client: ClientBase,
    statements: PreparedStatements,
    namespace: EventNamespace,
    limits: SqlStoreLimits,
  ) {
    // After an error the transaction is lost; its caller begins another.
    this.limits = { ...limits, retryTimeout: 0 };
    const port = new ClientPort(client, statements);
    this.reads = checkedPort(port, () => checkTransaction(port));
    this.appends = new DirectAppends(this.reads);
    this.namespace = namespace;
  }
}

/** Sends each append by itself: appends on one client can't go together. */
class DirectAppends implements Appends {
  readonly #port: SqlPort;

  constructor(port: SqlPort) {
    this.#port = port;
  }

  /** @throws InvalidArgumentError for a condition after another append of the transaction */
  async append(member: AppendMember): Promise<AnsweredAppend> {
    if (member.condition !== undefined) await this.#assertMayAppend(member);
    const [outcome] = await appendMembers(this.#port, [member], true);
    return { ...(outcome as NonNullable<typeof outcome>), wasRepeated: false };
  }

  async #assertMayAppend(member: AppendMember): Promise<void> {
    const [, exclusive = null, scope = null] = lockValues([member]);
    const [[may] = []] = await this.#port.query(mayAppend, [exclusive, scope]);
    if (may === 't') return;
    throw new InvalidArgumentError(
      'The transaction has appended already. A condition takes stronger locks than that append holds, and two such transactions ' +
        'would wait for each other: make the conditional append the first of the transaction, or one appendToStreams of all.',
    );
  }
}

/** Runs the statements of a store on the caller's client, one after the other. */
class ClientPort implements SqlPort {
  readonly #client: ClientBase;
  readonly #statements: PreparedStatements;
  readonly #turn: TurnQueue;

  constructor(client: ClientBase, statements: PreparedStatements) {
    // The caller may not listen for the loss of its client.
    watchClient(client, 0);
    this.#client = client;
    this.#statements = statements;
    this.#turn = turns.get(keyOfClient(client)) ?? new TurnQueue();
    turns.set(keyOfClient(client), this.#turn);
  }

  async query<T = SqlRow>(
    statement: SqlStatement,
    values: readonly SqlValue[],
    map?: (row: SqlRow) => T,
  ): Promise<readonly T[]> {
    try {
      return await this.#turn.take(() => this.#statements.run(this.#client, statement, values, map));
    } catch (error) {
      // Otherwise the caller's ROLLBACK would wait behind the unanswered statement.
      if (error instanceof NoAnswerError) cutOff(this.#client);
      throw error;
    }
  }
}

/** @throws InvalidArgumentError for an isolation level in which an append sees too little */
async function checkTransaction(port: SqlPort): Promise<void> {
  const [[isolation] = []] = await port.query(settings, [String(idleTimeout)]);
  if (isolation !== 'read committed' && isolation !== 'read uncommitted') {
    throw new InvalidArgumentError(
      `The transaction is ${isolation ?? '?'}: it doesn't see what was committed after it began, so it can't append or read in order. Use READ COMMITTED.`,
    );
  }
}
