import { Context } from '@temporalio/activity';
import { StoreUnavailableError } from '../../../core/errors/store-errors.js';
import { withTimeLimit } from '../../../core/values/time-limit.js';
import type { CommandReference } from '../../shared/command-lane.js';
import { isInLocalActivity, isInActivity } from '../logged.js';

/** Attempts that may hold their worker up, or end with it, after the first, before no other gets the work. */
const maxLosses = 2;
/** Part of an activity's time that is left to an attempt which ends in time. */
const reserved = 0.2;

/** What an attempt tells those after it. */
interface Trace {
  /** Attempts that were lost before. */
  readonly losses: number;
  /** Whether it is at work; if nobody says otherwise, it is lost too. */
  readonly isAtWork: boolean;
}

/**
 * Runs work that may hold its process up for good: code of the application that never ends. It is then tried on one worker after the
 * other, none of which can say what happened to it; so each attempt after the first leaves a trace before it begins.
 *
 * @param work gets whether a worker may have been lost over it
 * @param refuse what becomes of it once 3 workers were lost
 */
export async function survive<T>(
  work: (isSuspect: boolean) => Promise<T>,
  refuse: () => Promise<T>,
): Promise<T> {
  if (!isInActivity() || isInLocalActivity()) return work(false);
  const context = Context.current();
  const { attempt, heartbeatTimeoutMs = 0, startToCloseTimeoutMs } = context.info;
  const { losses: earlier, isAtWork: isLost } = traceOf(context.info.heartbeatDetails);
  const losses = earlier + (isLost ? 1 : 0);
  if (losses >= maxLosses) return refuse();
  const leave = (isAtWork: boolean): void => {
    context.heartbeat({ losses, isAtWork } satisfies Trace);
  };
  // Most need no second attempt, and a heartbeat is a call to the server.
  if (attempt > 1) {
    leave(true);
    await handedOver();
  }
  const stop = every(heartbeatTimeoutMs / 3, () => {
    leave(true);
  });
  try {
    return await inTime(startToCloseTimeoutMs, () => work(attempt > 1));
  } catch (error) {
    // Sent with the failure.
    leave(false);
    throw error;
  } finally {
    stop();
  }
}

/** A process that isn't held up says so itself, before the server takes it for lost. */
function inTime<T>(limit: number, work: () => Promise<T>): Promise<T> {
  if (!(limit > 0)) return work();
  const own = limit * (1 - reserved);
  return withTimeLimit(own, work(), () => {
    throw new StoreUnavailableError(`No outcome in ${Math.round(own)} ms.`);
  });
}

function traceOf(details: unknown): Trace {
  const { losses = 0, isAtWork = false } = (details ?? {}) as Partial<Trace>;
  return { losses, isAtWork };
}

/** Names the command that an activity is about to decide in its heartbeats, which go on as long as the process isn't held up. */
export class DecidingHeartbeats {
  readonly #context = Context.current();
  /** Ends them. */
  readonly stop: () => void;
  #command: CommandReference | undefined;

  constructor() {
    this.stop = every((this.#context.info.heartbeatTimeoutMs ?? 0) / 3, () => {
      this.#beat();
    });
  }

  /** Resolves when it is said. */
  async begin({ id, commandId }: CommandReference): Promise<void> {
    this.#command = { id, commandId };
    this.#beat();
    await handedOver();
  }

  #beat(): void {
    this.#context.heartbeat(this.#command);
  }
}

/** The SDK encodes a heartbeat before its core, which has a thread of its own, gets it. */
function handedOver(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** @param milliseconds 0 for never */
function every(milliseconds: number, run: () => void): () => void {
  if (milliseconds === 0) return () => undefined;
  const timer = setInterval(run, milliseconds);
  return () => {
    clearInterval(timer);
  };
}
