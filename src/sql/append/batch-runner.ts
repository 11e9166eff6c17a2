import { retrying } from '../retrying.js';
import type { AnsweredAppend } from '../sql-backend.js';
import { isRefused, sqlStateOf } from '../sql-errors.js';
import type { SqlPort } from '../sql-port.js';
import { appendMembers } from './append-batch.js';
import type { AppendMember } from './append-member.js';
import { streamIsLocked } from './stream-lock.js';

export interface BatchOrder {
  /** When its last append was accepted, by `performance.now()`. */
  readonly enqueuedAt: number;
  /** Most milliseconds to wait for the lock of a stream. */
  readonly lockTimeout: number;
  /** Whether an attempt whose reply was lost may have stored some of it. */
  readonly isRepeated: boolean;
}

/** Nothing was stored, because another transaction has locked the stream; its later members are locked too. */
interface LockedOutcome {
  readonly status: 'locked';
  readonly isRepeated: boolean;
}

export type MemberOutcome =
  (PromiseSettledResult<AnsweredAppend> & { readonly isLocked?: boolean }) | LockedOutcome;

export interface BatchLimits {
  /** Milliseconds, from when its last append was accepted, for which a batch is sent again after a lost connection. */
  readonly retryTimeout: number;
  /** Milliseconds, counted likewise, to wait for the lock of a stream. */
  readonly lockTimeout: number;
}

/** Milliseconds that a member waits for a lock when it is sent alone because its batch could not be appended. */
const singleLockTimeout = 20;

type Answer =
  | { readonly kind: 'answered'; readonly outcomes: readonly AnsweredAppend[] }
  /** The statement or one of its members is to blame: nothing is stored. */
  | { readonly kind: 'stuck'; readonly reason: unknown; readonly isRepeated: boolean };

/**
 * Appends the batches of a queue. When the connection is lost, it sends the batch again under the same commit ids, by
 * which it recognises commits of the attempt without a reply.
 */
export class BatchRunner {
  readonly #port: SqlPort;
  readonly #limits: BatchLimits;

  constructor(port: SqlPort, limits: BatchLimits) {
    this.#port = port;
    this.#limits = limits;
  }

  /** Appends a batch. @returns the outcome of each member */
  async run(members: readonly AppendMember[], order: BatchOrder): Promise<readonly MemberOutcome[]> {
    const [first] = members;
    if (members.length === 1 && first !== undefined) return [await this.#runOne(first, order)];
    let isRepeated: boolean;
    try {
      const answer = await this.#ask(members, order);
      if (answer.kind === 'answered') {
        return answer.outcomes.map((value) => ({ status: 'fulfilled', value }));
      }
      ({ isRepeated } = answer);
    } catch (reason) {
      return members.map(() => ({ status: 'rejected', reason }));
    }
    return this.#runOneByOne(members, { ...order, isRepeated, lockTimeout: singleLockTimeout });
  }

  /**
   * One member spoils the statement, or waits for somebody else: sent alone, it fails alone. They go in turn, to keep
   * the order in each stream.
   */
  async #runOneByOne(members: readonly AppendMember[], order: BatchOrder): Promise<readonly MemberOutcome[]> {
    const outcomes: MemberOutcome[] = [];
    const locked = new Map<string, MemberOutcome>();
    for (const member of members) {
      const streams = member.parts.map(({ streamId }) => streamId);
      const before = streams.find((streamId) => locked.has(streamId)) ?? '';
      const outcome = locked.get(before) ?? (await this.#runOne(member, order));
      if (outcome.status === 'locked') for (const streamId of streams) locked.set(streamId, outcome);
      outcomes.push(outcome);
    }
    return outcomes;
  }

  async #runOne(member: AppendMember, order: BatchOrder): Promise<MemberOutcome> {
    const { lockTimeout } = this.#limits;
    try {
      const answer = await this.#ask([member], order);
      if (answer.kind === 'answered') {
        return { status: 'fulfilled', value: answer.outcomes[0] as AnsweredAppend };
      }
      const { reason, isRepeated } = answer;
      if (!isLockTimeout(reason)) return { status: 'rejected', reason };
      if (performance.now() - order.enqueuedAt < lockTimeout) return { status: 'locked', isRepeated };
      const error = await streamIsLocked(this.#port, member, { lockTimeout, isRepeated, cause: reason });
      return { status: 'rejected', reason: error, isLocked: true };
    } catch (reason) {
      return { status: 'rejected', reason };
    }
  }

  #ask(members: readonly AppendMember[], order: BatchOrder): Promise<Answer> {
    const lockTimeout = Math.min(order.lockTimeout, this.#limits.lockTimeout / 2);
    let { isRepeated } = order;
    return retrying(async (attempt) => {
      isRepeated ||= attempt > 1;
      try {
        const outcomes = await appendMembers(this.#port, members, isRepeated, lockTimeout);
        const wasRepeated = isRepeated;
        return { kind: 'answered', outcomes: outcomes.map((each) => ({ ...each, wasRepeated })) };
      } catch (reason) {
        if (!isStuck(reason, members)) throw reason;
        return { kind: 'stuck', reason, isRepeated };
      }
    }, order.enqueuedAt + this.#limits.retryTimeout);
  }
}

/** Whether a member may be to blame for the error: among several, one may be too slow for a limit of the server. */
function isStuck(reason: unknown, members: readonly AppendMember[]): boolean {
  return isRefused(reason) || isLockTimeout(reason) || (members.length > 1 && sqlStateOf(reason) === '57014');
}

function isLockTimeout(reason: unknown): boolean {
  return sqlStateOf(reason) === '55P03';
}
