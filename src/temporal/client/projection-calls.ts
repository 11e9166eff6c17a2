import {
  QueryNotRegisteredError,
  WithStartWorkflowOperation,
  WorkflowFailedError,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
  type Client,
} from '@temporalio/client';
import { ApplicationFailure, TimeoutFailure } from '@temporalio/common';
import { findEventStoreError } from '../../core/errors/error-recognition.js';
import { ProjectionNotRunningError } from '../../core/errors/projection-errors.js';
import { StoreUnavailableError } from '../../core/errors/store-errors.js';
import { pauseAfter, type Backoff } from '../../core/values/backoff.js';
import { wait } from '../../core/values/wait.js';
import {
  awaitProjectionType,
  projectionIsDraining,
  projectionMemo,
  projectionStatusQuery,
  projectionStatusUpdate,
  projectionWorkflowId,
  projectionWorkflowType,
  type AwaitedPosition,
  type Patience,
  type ProjectionAction,
  type ProjectionMemo,
  type ReachedPosition,
} from '../shared/projection-requests.js';
import type { ProjectionInput } from '../shared/projection-run.js';
import type { ProjectionStatus } from '../shared/projection-status.js';
import { workflowIdOf } from '../shared/workflow-id.js';
import { findSigns, type Seen, type ShownSigns } from './projection-waits.js';
import { isRetryableCallError } from './send-commands.js';
import { SharedWaits } from './shared-waits.js';
import { whyUnanswered } from './why-unanswered.js';
import { TimeIsUpError, untilTimeIsUp, withinTime, type WaitLimits } from './within-time.js';

/** Pauses between two requests. */
const backoff: Backoff = { first: 10, longest: 500 };
/** Milliseconds after which a request without an answer is made again. */
const attemptTimeout = 20_000;
/** Most milliseconds, and part of a call's time, for finding out why there was no answer. */
const longestWhy = 1_000;
const whyPart = 0.2;
/**
 * Most milliseconds, and part of a call's time, that a request gets beyond its deadline to fail by itself: a
 * connection still being made knows no deadline.
 */
const longestReserve = 500;
const reservePart = 0.1;
/** Milliseconds that an answer may still take when the wait's time is up. */
export const longestLook = 5_000;
/** Milliseconds between two looks, by waiting callers, at whether a projection has stopped. */
const memoInterval = 1_000;

/** The time limits of a call. */
export interface CallLimits {
  /** Milliseconds as given by the caller. */
  readonly timeout: number;
  /** By `performance.now()`. */
  readonly end: number;
  readonly signal: AbortSignal | undefined;
}

export function limitsOf(timeout: number, signal?: AbortSignal): CallLimits {
  return { timeout, end: performance.now() + timeout, signal };
}

/** The state of a projection, from its workflow's description. */
export interface KnownState extends ProjectionMemo {
  /** Whether the projection no longer moves by itself. */
  readonly isOver: boolean;
}

export interface ProjectionCallsOptions {
  readonly client: Client;
  readonly taskQueue: string;
}

/**
 * The requests of a client to a projection's workflow, each repeated until there is an answer.
 *
 * Every method throws ProjectionNotRunningError for a projection that isn't running, ProjectionUnknownError for one that no worker
 * knows, and StoreUnavailableError when there is no answer in time.
 */
export class ProjectionCalls {
  readonly #client: Client;
  readonly #taskQueue: string;
  readonly #waits: SharedWaits;
  /** By projection: all callers that wait for it share one request. */
  readonly #states = new Map<string, Promise<KnownState>>();

  constructor({ client, taskQueue }: ProjectionCallsOptions) {
    this.#client = client;
    this.#taskQueue = taskQueue;
    this.#waits = new SharedWaits((awaited) => this.#await(awaited));
  }

  start(input: ProjectionInput, patience: Patience, limits: CallLimits): Promise<ProjectionStatus> {
    return this.#patiently(input.name, limits, () => {
      // A new one for each attempt, since it can be used only once.
      const startWorkflowOperation = new WithStartWorkflowOperation(projectionWorkflowType, {
        workflowId: projectionWorkflowId(this.#taskQueue, input.name),
        taskQueue: this.#taskQueue,
        args: [input],
        workflowIdConflictPolicy: 'USE_EXISTING',
      });
      // The update's own failure is thrown instead.
      startWorkflowOperation.workflowHandle().catch(() => undefined);
      return this.#client.workflow.executeUpdateWithStart<
        (input: ProjectionInput) => Promise<void>,
        ProjectionStatus,
        [Patience]
      >(projectionStatusUpdate, { startWorkflowOperation, args: [patience] });
    });
  }

  /** What holds a projection up and what may be wrong, as far as the server knows. */
  signs(name: string, seen: Seen, limits: CallLimits): Promise<ShownSigns> {
    const workflowId = projectionWorkflowId(this.#taskQueue, name);
    return this.#patiently(name, limits, () => findSigns(this.#client, workflowId, seen));
  }

  update<T>(
    name: string,
    update: string,
    args: readonly [Patience] | readonly [ProjectionAction, Patience],
    limits: CallLimits,
  ): Promise<T> {
    const handle = this.#client.workflow.getHandle(projectionWorkflowId(this.#taskQueue, name));
    // The same for each attempt, so that the action is done once.
    const updateId = crypto.randomUUID();
    return this.#patiently(name, limits, () =>
      handle.executeUpdate<T, [unknown, ...unknown[]]>(update, { args: [...args], updateId }),
    );
  }

  /** The last status of a projection that no longer runs; undefined when it never did. */
  async lastStatus(name: string, limits: CallLimits): Promise<ProjectionStatus | undefined> {
    const status = await this.#patiently(name, limits, () => this.#queryStatus(name));
    // It ended before it was opened.
    if (status === undefined || status.version === 0) return undefined;
    const { waitsFor: _, ...last } = status;
    return { ...last, state: 'stopped' };
  }

  /** A completed workflow still answers queries. */
  async #queryStatus(name: string): Promise<ProjectionStatus | undefined> {
    try {
      return await this.#client.workflow
        .getHandle(projectionWorkflowId(this.#taskQueue, name))
        .query<ProjectionStatus>(projectionStatusQuery);
    } catch (error) {
      if (error instanceof WorkflowNotFoundError || error instanceof QueryNotRegisteredError) {
        return undefined;
      }
      throw error;
    }
  }

  /** Waits until the live build has reached a position or the time is up, and returns how far it is. */
  reached(name: string, position: number, timeout: number, signal: AbortSignal): Promise<ReachedPosition> {
    return this.#waits.until(name, position, timeout, signal);
  }

  /**
   * Uses a short workflow: updates would stay in the projection's own history, and many would interrupt it to
   * continue as new.
   */
  #await(awaited: AwaitedPosition): Promise<ReachedPosition> {
    const { name } = awaited;
    const timeout = awaited.timeout + longestLook;
    const workflowId = workflowIdOf('projection-wait', crypto.randomUUID());
    const request = (): Promise<ReachedPosition> =>
      this.#client.workflow.execute<(input: AwaitedPosition) => Promise<ReachedPosition>>(
        awaitProjectionType,
        {
          workflowId,
          taskQueue: this.#taskQueue,
          args: [awaited],
          workflowIdConflictPolicy: 'USE_EXISTING',
          workflowExecutionTimeout: timeout,
        },
      );
    return this.#patiently(name, limitsOf(timeout), request, timeout);
  }

  /** Resolves as soon as a projection no longer moves by itself. @throws ProjectionNotRunningError when it was never started */
  async over(name: string, signal: AbortSignal): Promise<KnownState> {
    for (;;) {
      const state = await this.state(name).catch((error: unknown) => {
        // Waiting callers have limits of their own.
        if (findEventStoreError(error, 'STORE_UNAVAILABLE') === undefined) throw error;
        return undefined;
      });
      if (state?.isOver === true) return state;
      await wait(memoInterval, signal);
    }
  }

  /** @throws ProjectionNotRunningError when it was never started */
  state(name: string): Promise<KnownState> {
    let look = this.#states.get(name);
    if (look === undefined) {
      const workflowId = projectionWorkflowId(this.#taskQueue, name);
      look = this.#patiently(name, limitsOf(longestLook), async () => {
        const { memo, status } = await this.#client.workflow.getHandle(workflowId).describe();
        if (status.name !== 'RUNNING') return { mode: 'stopped' as const, isOver: true };
        const known = (memo?.[projectionMemo] ?? { mode: 'running' }) as ProjectionMemo;
        return { ...known, isOver: ['blocked', 'failed', 'stopped'].includes(known.mode) };
      }).finally(() => this.#states.delete(name));
      this.#states.set(name, look);
    }
    return look;
  }

  /** Runs one of the other methods within a time limit. */
  async within<T>(name: string, limits: WaitLimits, call: (end: AbortSignal) => Promise<T>): Promise<T> {
    try {
      return await untilTimeIsUp(limits, call);
    } catch (error) {
      throw error instanceof TimeIsUpError ? await this.#unanswered(name, error) : error;
    }
  }

  async #unanswered(name: string, cause: unknown, limit = longestWhy): Promise<StoreUnavailableError> {
    const client = this.#client;
    const taskQueue = this.#taskQueue;
    const workflowId = projectionWorkflowId(taskQueue, name);
    const why = await whyUnanswered({ client, taskQueue, workflowId, limit });
    return new StoreUnavailableError(
      `No answer of the projection '${name}' through Temporal. ${why} Try again.`,
      { cause },
    );
  }

  #notRunning(name: string, cause?: unknown): ProjectionNotRunningError {
    return new ProjectionNotRunningError(
      `The projection '${name}' is not running on the task queue '${this.#taskQueue}'. Start it: start('${name}').`,
      { projection: name, cause },
    );
  }

  async #patiently<T>(
    name: string,
    { timeout: given, end: over, signal }: CallLimits,
    request: () => Promise<T>,
    longestAttempt = attemptTimeout,
  ): Promise<T> {
    const why = Math.min(longestWhy, given * whyPart);
    const reserve = Math.min(longestReserve, given * reservePart);
    const end = over - why - reserve;
    for (let failures = 1; ; failures++) {
      const pause = pauseAfter(failures, backoff);
      try {
        const timeout = Math.min(longestAttempt, Math.max(end - performance.now(), 1));
        return await withinTime(this.#client, { timeout: timeout + reserve, signal }, () =>
          this.#client.withDeadline(Date.now() + timeout, request),
        );
      } catch (error) {
        signal?.throwIfAborted();
        const typed = findEventStoreError(error);
        if (typed !== undefined) throw typed;
        if (error instanceof WorkflowNotFoundError) throw this.#notRunning(name, error);
        if (!isRetryableRequest(error)) throw error;
        if (performance.now() + pause >= end) throw await this.#unanswered(name, error, why);
      }
      await wait(pause, signal);
    }
  }
}

/** Whether the same request may succeed when it is made again. */
function isRetryableRequest(error: unknown): boolean {
  if (error instanceof TimeIsUpError) return true;
  // No worker took the workflow in time.
  if (error instanceof WorkflowFailedError) return error.cause instanceof TimeoutFailure;
  if (!(error instanceof WorkflowUpdateFailedError)) return isRetryableCallError(error);
  return error.cause instanceof ApplicationFailure && error.cause.type === projectionIsDraining;
}
