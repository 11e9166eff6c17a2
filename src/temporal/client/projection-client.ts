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
import {
  InvalidArgumentError,
  ProjectionBehindError,
  StoreUnavailableError,
} from '../../core/errors/errors.js';
import { assertOptions, integerFrom, isName, isPlainObject, isSignal } from '../../core/store/options.js';
import {
  controlProjectionUpdate,
  liveBuildOf,
  parkedEventsUpdate,
  positionOf,
  progressWorkflowType,
  projectionIsDraining,
  projectionStatusQuery,
  projectionStatusUpdate,
  projectionWorkflowId,
  projectionWorkflowType,
  type ParkedEventSummary,
  type ProjectionAction,
  type ProjectionInput,
  type ProjectionProgress,
  type ProjectionStatus,
} from '../shared/projection.js';
import { findWait } from './projection-waits.js';
import { isTransient } from './send-commands.js';

export interface ProjectionClientOptions {
  readonly client: Client;
  /** Of a worker that knows the projections: one with `EventStorePlugin({ store, projections })`, for example. */
  readonly taskQueue: string;
  /** Milliseconds that a call waits for Temporal and the worker, trying again. Default 30,000. */
  readonly timeout?: number;
}

export interface StartProjectionOptions {
  /** Milliseconds without a sign of life after which another worker takes over. Default 10,000. */
  readonly heartbeatTimeout?: number;
}

export interface WaitForOptions {
  /** Milliseconds. Default 30,000. */
  readonly timeout?: number;
  readonly signal?: AbortSignal;
}

const firstPause = 10;
const longestPause = 500;
/** Milliseconds after which a request without an answer is made again. */
const attemptTimeout = 20_000;
/** Milliseconds after which somebody who waits looks again whether the projection is still running. */
const stateInterval = 1_000;

/**
 * Starts projections, says where they stand, and does what an operator wants done. A projection runs as a workflow of its
 * own, on any worker that knows it.
 *
 * Every method throws InvalidArgumentError for a projection that isn't running or that no worker knows, and
 * StoreUnavailableError when Temporal or the worker gives no answer.
 *
 * @example
 * const projections = new ProjectionClient({ client: new Client({ connection }), taskQueue: 'accounts' });
 * await projections.start('balances');
 * const { position } = await store.appendToStream('Account-7', [deposited(5)]);
 * await projections.waitFor('balances', position);
 */
export class ProjectionClient {
  readonly #client: Client;
  readonly #taskQueue: string;
  readonly #timeout: number;
  /** All who wait for a projection ask together. */
  readonly #looks = new Map<string, Promise<number>>();

  /** @throws InvalidArgumentError for a missing, unknown or malformed option */
  constructor(options: ProjectionClientOptions) {
    assertOptions(
      'ProjectionClient',
      options,
      { client: isPlainObject, taskQueue: isName, timeout: integerFrom(1) },
      ['client', 'taskQueue'],
    );
    this.#client = options.client;
    this.#taskQueue = options.taskQueue;
    this.#timeout = options.timeout ?? 30_000;
  }

  /** Starts a projection where it left off. One that runs already stays as it is. */
  async start(name: string, options: StartProjectionOptions = {}): Promise<ProjectionStatus> {
    assertName(name);
    assertOptions('start', options, { heartbeatTimeout: integerFrom(1_000) });
    const input: ProjectionInput = { version: 1, name, heartbeatTimeout: options.heartbeatTimeout ?? 10_000 };
    return this.#patiently(name, () => {
      // A new one for each attempt: it can be used once.
      const startWorkflowOperation = new WithStartWorkflowOperation(projectionWorkflowType, {
        workflowId: projectionWorkflowId(this.#taskQueue, name),
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

  /** Where it stands now; of a projection that was stopped, where it stood. */
  async status(name: string): Promise<ProjectionStatus> {
    assertName(name);
    try {
      const status = await this.#update<ProjectionStatus>(name, projectionStatusUpdate);
      if (status.state !== 'running') return status;
      const workflowId = projectionWorkflowId(this.#taskQueue, name);
      const waitsFor = await this.#patiently(name, () => findWait(this.#client, workflowId));
      return { ...status, ...(waitsFor !== undefined && { waitsFor }) };
    } catch (error) {
      if (findEventStoreError(error, 'INVALID_ARGUMENT') === undefined) throw error;
      const last = await this.#lastStatus(name);
      if (last === undefined) throw error;
      return last;
    }
  }

  /** From its return on nothing is applied, until it is resumed. */
  pause(name: string): Promise<ProjectionStatus> {
    return this.#act(name, { action: 'pause' });
  }

  /** Goes on: after a pause, or after what made it fail or stop at an event was mended. */
  resume(name: string): Promise<ProjectionStatus> {
    return this.#act(name, { action: 'resume' });
  }

  /** Ends its workflow. The read model and the checkpoint stay, and `start` goes on from there. */
  stop(name: string): Promise<ProjectionStatus> {
    return this.#act(name, { action: 'stop' });
  }

  /**
   * Builds the newest version of the read model beside the live one, which goes on serving; when it has caught up and the
   * projection's `verify` has passed, it becomes the live one at once. `status` tells how far it is. Returns when it has
   * begun.
   */
  rebuild(name: string, options: { readonly maxEventsPerSecond?: number } = {}): Promise<ProjectionStatus> {
    assertOptions('rebuild', options, { maxEventsPerSecond: integerFrom(1) });
    const { maxEventsPerSecond: maxRate } = options;
    return this.#act(name, { action: 'rebuild', ...(maxRate !== undefined && { maxRate }) });
  }

  /** Gives a rebuild up, also one that failed, and drops what was built. */
  cancelRebuild(name: string): Promise<ProjectionStatus> {
    return this.#act(name, { action: 'cancelRebuild' });
  }

  /** Makes the build live that was so before the last rebuild; it then catches up. */
  rollback(name: string): Promise<ProjectionStatus> {
    return this.#act(name, { action: 'rollback' });
  }

  /** The events that were not applied, in order, at most 200; those that were skipped with who skipped them and why. */
  async parked(name: string): Promise<readonly ParkedEventSummary[]> {
    assertName(name);
    return this.#update(name, parkedEventsUpdate);
  }

  /** Tries an event again, with those of its stream that wait behind it. */
  retry(name: string, eventId: string): Promise<ProjectionStatus> {
    return this.#act(name, { action: 'retry', eventId });
  }

  /** Passes over an event for good. Who does so and why is kept. */
  skip(
    name: string,
    eventId: string,
    by: { readonly operator: string; readonly reason: string },
  ): Promise<ProjectionStatus> {
    assertOptions('skip', by, { operator: isName, reason: isName }, ['operator', 'reason']);
    return this.#act(name, { action: 'skip', eventId, operator: by.operator, reason: by.reason });
  }

  /**
   * Waits until the read model holds everything up to a position: that of an append, to read what one has written.
   *
   * @throws ProjectionBehindError when it doesn't get there in time, or has stopped on the way
   */
  async waitFor(name: string, position: number, options: WaitForOptions = {}): Promise<void> {
    assertName(name);
    assertOptions('waitFor', { position }, { position: integerFrom(0) }, ['position']);
    assertOptions('waitFor', options, { timeout: integerFrom(0), signal: isSignal });
    const { timeout = 30_000, signal } = options;
    const end = performance.now() + timeout;
    let nextState = 0;
    for (let pause = firstPause; ; pause = Math.min(pause * 2, longestPause)) {
      const reached = await unlessAborted(() => this.#position(name), signal);
      if (reached >= position) return;
      const now = performance.now();
      const isOver = now >= end;
      if (isOver || now >= nextState) {
        nextState = now + stateInterval;
        const status = await unlessAborted(() => this.#state(name), signal);
        const hasEnded = ['blocked', 'failed', 'stopped'].includes(status.state);
        // It may have got there before it ended.
        if (isOver || (hasEnded && (await this.#position(name)) < position))
          throw behind({ ...status, position: reached }, position, timeout);
      }
      await wait(Math.min(pause, end - now), signal);
    }
  }

  /**
   * How far the live build is, by a short workflow: each update that the projection itself answers would stay in its
   * history, and many would interrupt it to continue as new.
   */
  #position(name: string): Promise<number> {
    let look = this.#looks.get(name);
    if (look === undefined) {
      look = this.#patiently(name, () =>
        this.#client.workflow.execute<(input: object) => Promise<ProjectionProgress>>(progressWorkflowType, {
          workflowId: `event-store/projection-progress/${crypto.randomUUID()}`,
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

  async #state(name: string): Promise<ProjectionStatus> {
    const status = await this.#patiently(name, () => this.#lastStatus(name));
    if (status === undefined) throw this.#notRunning(name);
    return status;
  }

  async #act(name: string, action: ProjectionAction): Promise<ProjectionStatus> {
    assertName(name);
    return this.#update(name, controlProjectionUpdate, action);
  }

  #update<T>(name: string, update: string, action?: ProjectionAction): Promise<T> {
    const handle = this.#client.workflow.getHandle(projectionWorkflowId(this.#taskQueue, name));
    // The same for each attempt, so that what is asked for is done once.
    const updateId = crypto.randomUUID();
    return this.#patiently(name, () =>
      handle.executeUpdate<T, [ProjectionAction | undefined]>(update, { args: [action], updateId }),
    );
  }

  /** A completed workflow still answers queries. */
  async #lastStatus(name: string): Promise<ProjectionStatus | undefined> {
    try {
      return await this.#client.workflow
        .getHandle(projectionWorkflowId(this.#taskQueue, name))
        .query<ProjectionStatus>(projectionStatusQuery);
    } catch (error) {
      if (error instanceof WorkflowNotFoundError || error instanceof QueryNotRegisteredError)
        return undefined;
      throw error;
    }
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
        const deadline = Date.now() + Math.min(attemptTimeout, Math.max(end - performance.now(), 1));
        return await this.#client.withDeadline(deadline, request);
      } catch (error) {
        const typed = findEventStoreError(error);
        if (typed !== undefined) throw typed;
        if (error instanceof WorkflowNotFoundError) throw this.#notRunning(name, error);
        if (!isPassing(error)) throw error;
        if (performance.now() + pause >= end) throw unanswered(this.#taskQueue, error);
      }
      await wait(pause);
    }
  }
}

function assertName(name: string): void {
  assertOptions('a projection client', { name }, { name: isName }, ['name']);
}

/** Whether the same request may go through when it is made again. */
function isPassing(error: unknown): boolean {
  // No worker took it in time.
  if (error instanceof WorkflowFailedError) return error.cause instanceof TimeoutFailure;
  if (!(error instanceof WorkflowUpdateFailedError)) return isTransient(error);
  return error.cause instanceof ApplicationFailure && error.cause.type === projectionIsDraining;
}

function behind(status: ProjectionStatus, position: number, timeout: number): ProjectionBehindError {
  const { name, state, position: reachedPosition, blocked, lastError } = status;
  const why =
    blocked === undefined ? lastError : `${blocked.type} of '${blocked.streamId}': ${blocked.error}`;
  return new ProjectionBehindError(
    `The projection '${name}' is at position ${reachedPosition}, not ${position}` +
      (state === 'running'
        ? `, after ${timeout} ms. Wait longer, or see whether it keeps up.`
        : `, and is ${state}.`) +
      (why === undefined ? '' : ` ${why}`),
    { projection: name, position, reachedPosition },
  );
}

function unanswered(taskQueue: string, cause: unknown): StoreUnavailableError {
  return new StoreUnavailableError(
    `No answer through Temporal from task queue '${taskQueue}'. Is the server up, and does a worker with the projections ` +
      `poll that queue? Try again.`,
    { commitId: undefined, cause },
  );
}

async function unlessAborted<T>(run: () => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  signal?.throwIfAborted();
  if (signal === undefined) return run();
  let stop: () => void = () => undefined;
  const aborted = new Promise<never>((_, reject) => {
    stop = () => {
      reject(signal.reason as Error);
    };
    signal.addEventListener('abort', stop);
  });
  try {
    return await Promise.race([run(), aborted]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

function wait(milliseconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(end, milliseconds);
    function end(): void {
      clearTimeout(timer);
      signal?.removeEventListener('abort', end);
      if (signal?.aborted === true) reject(signal.reason as Error);
      else resolve();
    }
    signal?.addEventListener('abort', end);
  });
}
