import type { ClientBase } from 'pg';
import { InvalidArgumentError } from '../core/errors/invalid-argument-error.js';
import { TurnQueue } from '../core/values/turn-queue.js';
import { appendMembers } from '../sql/append-batch.js';
import { checkedPort } from '../sql/checked-port.js';
import type { EventNamespace } from '../sql/event-namespace.js';
import { eq } from '../sql/operators.js';
import { SqlEventStore } from '../sql/sql-event-store.js';
import { statement, type SqlPort } from '../sql/sql-port.js';
import { cutOff, keyOfClient, watchClient } from './client-facts.js';
import { NoAnswerError } from './no-answer.js';
import type { PreparedStatements } from './postgres-port.js';

/** Milliseconds; while such a transaction is idle, readers in order wait for it. */
const idleTimeout = 30_000;

const settings = statement(`select pg_catalog.current_setting('transaction_isolation'),
  case when pg_catalog.current_setting('idle_in_transaction_session_timeout') ${eq} '0'
    then pg_catalog.set_config('idle_in_transaction_session_timeout', $1, true) end`);

/** One queue for each client: `pg` will stop taking a query while another runs, and calls of the store may be made side by side. */
const turns = new WeakMap<object, TurnQueue>();

/** The four methods and the capabilities of a store, on a transaction that its caller begins and commits. */
export function createTransactionStore(
  client: ClientBase,
  statements: PreparedStatements,
  options: {
    readonly maxCommitBytes: number;
    readonly settleTimeout: number;
    readonly namespace: EventNamespace;
  },
): SqlEventStore {
  // It is the caller's, who may not listen to its loss.
  watchClient(client, 0);
  const turn = turns.get(keyOfClient(client)) ?? new TurnQueue();
  turns.set(keyOfClient(client), turn);
  const ofClient: SqlPort = {
    query: async (statement, values, map) => {
      try {
        return await turn.take(() => statements.run(client, statement, values, map));
      } catch (error) {
        // Or the caller's ROLLBACK would wait behind what has no answer.
        if (error instanceof NoAnswerError) cutOff(client);
        throw error;
      }
    },
  };
  const port = checkedPort(ofClient, async () => {
    const [[isolation] = []] = await ofClient.query(settings, [String(idleTimeout)]);
    if (isolation !== 'read committed' && isolation !== 'read uncommitted') {
      throw new InvalidArgumentError(
        `The transaction is ${isolation ?? '?'}: it doesn't see what was committed after it began, so it can't append or read in order. Use READ COMMITTED.`,
      );
    }
  });
  return new SqlEventStore(port, {
    ...options,
    // After an error the transaction is lost; its caller begins another.
    retryTimeout: 0,
    append: async (member) => {
      const [outcome] = await appendMembers(port, [member], true);
      return { ...(outcome as NonNullable<typeof outcome>), wasRepeated: false };
    },
  });
}
