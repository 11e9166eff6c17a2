import { Context } from '@temporalio/activity';
import { StoreUnavailableError } from '../../../core/errors/store-errors.js';
import { withTimeLimit } from '../../../core/values/time-limit.js';
import type { CommandReference } from '../../shared/command-lane.js';
import { isInLocalActivity, isInActivity } from '../logged.js';

/** Workers that may be lost after the first one, before no other gets the work. */
const maxLosses = 2;
/** Part of an activity's time that is kept for reporting a time-out before the server does. */
const reserved = 0.2;

/** What an attempt tells the next ones. */
interface Trace {
  /** Number of earlier attempts that were lost. */
  readonly losses: number;
  /** Whether the attempt is at work; unless it says otherwise later, it is lost, too. */
  readonly isAtWork: boolean;
}

/**
 * Runs application code that may never end and hold its process up for good. One worker after the other would try it,
 * and none could say what happened; so each attempt after the first leaves a trace before it begins.
 *
 * @param work is told whether a worker may have been lost over it
 * @param refuse gives the result once 3 workers were lost
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
  // Most work needs no second attempt, and a heartbeat is a call to the server.
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
    // The trace is sent with the failure.
    leave(false);
    throw error;
  } finally {
    stop();
  }
}

/** Fails in time: a process that isn't held up reports it itself, before the server takes it for lost. */
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

/** Names the command that an activity is about to decide in its heartbeats, which go on as long as the process runs freely. */
export class DecidingHeartbeats {
  readonly #context = Context.current();
  /** Ends the heartbeats. */
  readonly stop: () => void;
  #command: CommandReference | undefined;

  constructor() {
    this.stop = every((this.#context.info.heartbeatTimeoutMs ?? 0) / 3, () => {
      this.#beat();
    });
  }

  /** Resolves once the heartbeat is handed over. */
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
