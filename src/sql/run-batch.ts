import { appendMembers } from './append-batch.js';
import type { AppendMember } from './append-member.js';
import type { MemberOutcome, QueuedOutcome, RunBatch } from './append-queue.js';
import { retrying } from './retrying.js';
import { isRefused, sqlStateOf } from './sql-errors.js';
import type { SqlPort } from './sql-port.js';
import { streamIsLocked } from './stream-lock.js';

export interface BatchLimits {
  /** Milliseconds for which a batch is sent again when the connection is lost, from when the last of it was accepted. */
  readonly retryTimeout: number;
  /** Milliseconds for which the lock of a stream is waited for, likewise. */
  readonly lockTimeout: number;
}

/** Milliseconds that a member which is sent by itself, since its batch could not be appended, waits for a lock. */
const singleLockTimeout = 20;

type Answer =
  | { readonly kind: 'answered'; readonly outcomes: readonly QueuedOutcome[] }
  /** What was asked is to blame, or a part of it: nothing is stored. */
  | { readonly kind: 'stuck'; readonly reason: unknown; readonly isRepeated: boolean };

/**
 * Appends batches of a queue. When the connection is lost, it asks again, under the same commit ids: what was stored by the
 * attempt whose reply is missing is then recognised.
 */
export function createBatchRunner(port: SqlPort, { retryTimeout, lockTimeout }: BatchLimits): RunBatch {
  return async (members, order) => {
    const deadline = order.enqueuedAt + retryTimeout;
    const ask = async (asked: readonly AppendMember[], before: boolean, longest: number): Promise<Answer> => {
      let isRepeated = before;
      return retrying(async (attempt) => {
        isRepeated ||= attempt > 1;
        try {
          const outcomes = await appendMembers(port, asked, isRepeated, Math.min(longest, lockTimeout / 2));
          const wasRepeated = isRepeated;
          return { kind: 'answered', outcomes: outcomes.map((each) => ({ ...each, wasRepeated })) };
        } catch (reason) {
          if (!isStuck(reason, asked)) throw reason;
          return { kind: 'stuck', reason, isRepeated };
        }
      }, deadline);
    };
    /** A member by itself. */
    const settle = async (member: AppendMember, before: boolean, longest: number): Promise<MemberOutcome> => {
      try {
        const answer = await ask([member], before, longest);
        if (answer.kind === 'answered') {
          return { status: 'fulfilled', value: answer.outcomes[0] as QueuedOutcome };
        }
        const { reason, isRepeated } = answer;
        if (!isLockTimeout(reason)) return { status: 'rejected', reason };
        if (performance.now() - order.enqueuedAt < lockTimeout) return { status: 'locked', isRepeated };
        const error = await streamIsLocked(port, member, { lockTimeout, isRepeated, cause: reason });
        return { status: 'rejected', reason: error, isLocked: true };
      } catch (reason) {
        return { status: 'rejected', reason };
      }
    };

    const [first] = members;
    if (members.length === 1 && first !== undefined) {
      return [await settle(first, order.isRepeated, order.lockTimeout)];
    }
    let isRepeated: boolean;
    try {
      const answer = await ask(members, order.isRepeated, order.lockTimeout);
      if (answer.kind === 'answered') {
        return answer.outcomes.map((value) => ({ status: 'fulfilled', value }));
      }
      ({ isRepeated } = answer);
    } catch (reason) {
      return members.map(() => ({ status: 'rejected', reason }));
    }
    // One of them spoils the statement, or waits for somebody else: alone, it fails alone. In turn, to keep the order in each
    // stream.
    const settled: MemberOutcome[] = [];
    const locked = new Map<string, MemberOutcome>();
    for (const member of members) {
      const outcome = locked.get(member.streamId) ?? (await settle(member, isRepeated, singleLockTimeout));
      if (outcome.status === 'locked') locked.set(member.streamId, outcome);
      settled.push(outcome);
    }
    return settled;
  };
}

/** Whether the members can be told apart by it: of several, one may be too slow for a limit of the server. */
function isStuck(reason: unknown, members: readonly AppendMember[]): boolean {
  return isRefused(reason) || isLockTimeout(reason) || (members.length > 1 && sqlStateOf(reason) === '57014');
}

function isLockTimeout(reason: unknown): boolean {
  return sqlStateOf(reason) === '55P03';
}
