import { appendMembers } from './append-batch.js';
import type { AppendMember } from './append-member.js';
import type { QueuedOutcome, RunBatch } from './append-queue.js';
import { retrying } from './retrying.js';
import { isRefused } from './sql-errors.js';
import type { SqlPort } from './sql-port.js';

/**
 * Appends batches of a queue. When the connection is lost, it asks again, under the same commit ids: what was stored by the
 * attempt whose reply is missing is then recognised.
 *
 * @param retryTimeout milliseconds for which it does so, from when the last of a batch was accepted
 */
export function createBatchRunner(port: SqlPort, retryTimeout: number): RunBatch {
  const append = (members: readonly AppendMember[], deadline: number): Promise<readonly QueuedOutcome[]> =>
    retrying(async (attempt) => {
      const outcomes = await appendMembers(port, members, attempt > 1);
      return outcomes.map((outcome) => ({ ...outcome, wasRepeated: attempt > 1 }));
    }, deadline);

  return async (members, { enqueuedAt }) => {
    const deadline = enqueuedAt + retryTimeout;
    try {
      const outcomes = await append(members, deadline);
      return outcomes.map((value) => ({ status: 'fulfilled', value }));
    } catch (reason) {
      if (members.length === 1 || !isRefused(reason)) {
        return members.map(() => ({ status: 'rejected', reason }));
      }
    }
    // One of them spoils the statement: alone, it fails alone. In turn, to keep the order in each stream.
    const settled: PromiseSettledResult<QueuedOutcome>[] = [];
    for (const member of members) {
      const [outcome] = await Promise.allSettled([
        append([member], deadline).then(([value]) => value as QueuedOutcome),
      ]);
      settled.push(outcome);
    }
    return settled;
  };
}
