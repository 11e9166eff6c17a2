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
import { InvalidArgumentError, StoreUnavailableError } from '../../core/errors/errors.js';
import {
  liveBuildOf,
  positionOf,
  progressWorkflowType,
  projectionIsDraining,
  projectionStatusQuery,
  projectionStatusUpdate,
  projectionWorkflowId,
  projectionWorkflowType,
  type ProjectionAction,
  type ProjectionInput,
  type ProjectionProgress,
  type ProjectionStatus,
} from '../shared/projection.js';
import { wait } from '../shared/wait.js';
import { workflowIdOf } from '../shared/workflow-id.js';
import { findSigns, type ShownSigns } from './projection-waits.js';
import { isTransient } from './send-commands.js';
import { whyUnanswered } from './why-unanswered.js';
import { TimeIsUpError, untilTimeIsUp, withinTime, type WaitLimits } from './within-time.js';

/** Milliseconds between two requests, which grow from the first to the second. */
export const firstPause = 10;
export const longestPause = 500;
/** Milliseconds after which a request without an answer is made again. */
const attemptTimeout = 20_000;
/** Milliseconds that a request gets beyond its deadline, to fail by itself: a connection that isn't made knows no deadline. */
const reserve = 500;

export interface ProjectionCallsOptions {
  readonly client: Client;
  readonly taskQueue: string;
  /** Milliseconds that a call is tried again. */
  readonly timeout: number;
}

/**
 * What a client asks the workflow of a projection, again until there is an answer.
 *
 * Every method throws InvalidArgumentError for a projection that isn't running or that no worker knows, and
 * StoreUnavailableError when there is no answer in time.
 */
export class ProjectionCalls {
  readonly #client: Client;
  readonly #taskQueue: string;
  readonly #timeout: number;
  /** All who wait for a projection ask together. */
  readonly #looks = new Map<string, Promise<number>>();

  constructor({ client, taskQueue, timeout }: ProjectionCallsOptions) {
    this.#client = client;
    this.#taskQueue = taskQueue;
    this.#timeout = timeout;
  }

  start(input: ProjectionInput): Promise<ProjectionStatus> {
    return this.#patiently(input.name, () => {
      // A new one for each attempt: it can be used once.
      const startWorkflowOperation = new WithStartWorkflowOperation(projectionWorkflowType, {
        workflowId: projectionWorkflowId(this.#taskQueue, input.name),
        taskQueue: this.#taskQueue,
        args: [input],
        workflowIdConflictPolicy: 'USE_EXISTING',
      });
      // The update's own failure is the one that is told.
      startWorkflowOperation.workflowHandle().catch(() => undefined);
      return this.#client.workflow.executeUpdateWithStart<
        (input: ProjectionInput) => Promise<void>,
        ProjectionStatus,
        []
      >(projectionStatusUpdate, { startWorkflowOperation });
    });
  }

  /** What a handler waits for, and what may be wrong, as its heartbeat tells. */
  signs(name: string): Promise<ShownSigns> {
    const workflowId = projectionWorkflowId(this.#taskQueue, name);
    return this.#patiently(name, () => findSigns(this.#client, workflowId));
  }

  /**
   * How far the live build is, by a short workflow: each update that the projection itself answers would stay in its
   * history, and many would interrupt it to continue as new.
   */
  position(name: string): Promise<number> {
    let look = this.#looks.get(name);
    if (look === undefined) {
      look = this.#patiently(name, () =>
        this.#client.workflow.execute<(input: object) => Promise<ProjectionProgress>>(progressWorkflowType, {
          workflowId: workflowIdOf('projection-progress', crypto.randomUUID()),
          taskQueue: this.#taskQueue,
          args: [{ name }],
          workflowExecutionTimeout: attemptTimeout,
        }),
      )
        .then(({ builds }) => positionOf(liveBuildOf(builds)))
        .finally(() => this.#looks.delete(name));
      this.#looks.set(name, look);
    }
    return look;
  }

  async state(name: string): Promise<ProjectionStatus> {
    const status = await this.lastStatus(name);
    if (status === undefined) throw this.#notRunning(name);
    return status;
  }

  update<T>(name: string, update: string, action?: ProjectionAction): Promise<T> {
    const handle = this.#client.workflow.getHandle(projectionWorkflowId(this.#taskQueue, name));
    // The same for each attempt, so that what is asked for is done once.
    const updateId = crypto.randomUUID();
    return this.#patiently(name, () =>
      handle.executeUpdate<T, [ProjectionAction | undefined]>(update, { args: [action], updateId }),
    );
  }

  /** A completed workflow still answers queries. */
  lastStatus(name: string): Promise<ProjectionStatus | undefined> {
    return this.#patiently(name, () => this.#queryStatus(name));
  }

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

  /** Waits for one of the other methods no longer than that. */
  async within<T>(name: string, limits: WaitLimits, call: () => Promise<T>): Promise<T> {
    try {
      return await untilTimeIsUp(limits, call);
    } catch (error) {
      throw error instanceof TimeIsUpError ? await this.#unanswered(name, error) : error;
    }
  }

  async #unanswered(name: string, cause: unknown): Promise<StoreUnavailableError> {
    const client = this.#client;
    const taskQueue = this.#taskQueue;
    const workflowId = projectionWorkflowId(taskQueue, name);
    const why = await whyUnanswered({ client, taskQueue, workflowId });
    return new StoreUnavailableError(
      `No answer of the projection '${name}' through Temporal. ${why} Try again.`,
      { cause },
    );
  }

  #notRunning(name: string, cause?: unknown): InvalidArgumentError {
    return new InvalidArgumentError(
      `The projection '${name}' is not running on the task queue '${this.#taskQueue}'. Start it: start('${name}').`,
      { cause },
    );
  }

  async #patiently<T>(name: string, request: () => Promise<T>): Promise<T> {
    const end = performance.now() + this.#timeout;
    for (let pause = firstPause; ; pause = Math.min(pause * 2, longestPause)) {
      try {
        const timeout = Math.min(attemptTimeout, Math.max(end - performance.now(), 1));
        return await withinTime(this.#client, { timeout: timeout + reserve }, () =>
          this.#client.withDeadline(Date.now() + timeout, request),
        );
      } catch (error) {
        const typed = findEventStoreError(error);
        if (typed !== undefined) throw typed;
        if (error instanceof WorkflowNotFoundError) throw this.#notRunning(name, error);
        if (!isRetryableRequest(error)) throw error;
        if (performance.now() + pause >= end) throw await this.#unanswered(name, error);
      }
      await wait(pause);
    }
  }
}

/** Whether the same request may go through when it is made again. */
function isRetryableRequest(error: unknown): boolean {
  if (error instanceof TimeIsUpError) return true;
  // No worker took it in time.
  if (error instanceof WorkflowFailedError) return error.cause instanceof TimeoutFailure;
  if (!(error instanceof WorkflowUpdateFailedError)) return isTransient(error);
  return error.cause instanceof ApplicationFailure && error.cause.type === projectionIsDraining;
}
