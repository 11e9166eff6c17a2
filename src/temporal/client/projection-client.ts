import type { Client } from '@temporalio/client';
import { findEventStoreError } from '../../core/errors/error-recognition.js';
import { ProjectionBehindError } from '../../core/errors/errors.js';
import { assertOptions, integerFrom, isName, isPlainObject, isSignal } from '../../core/store/options.js';
import {
  controlProjectionUpdate,
  isRebaseFrom,
  parkedEventsUpdate,
  projectionStatusUpdate,
  type ParkedEventSummary,
  type ProjectionAction,
  type ProjectionInput,
  type ProjectionStatus,
  type RebaseFrom,
} from '../shared/projection.js';
import { wait } from '../shared/wait.js';
import { firstPause, longestPause, ProjectionCalls } from './projection-calls.js';

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
  /** Milliseconds. A look that is under way may take 5 seconds more. Default 30,000. */
  readonly timeout?: number;
  readonly signal?: AbortSignal;
}

/** Milliseconds after which somebody who waits looks again whether the projection is still running. */
const stateInterval = 1_000;
/** Milliseconds that the last look may take when the time is up. */
const longestLook = 5_000;

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
  readonly #calls: ProjectionCalls;

  /** @throws InvalidArgumentError for a missing, unknown or malformed option */
  constructor(options: ProjectionClientOptions) {
    assertOptions(
      'ProjectionClient',
      options,
      { client: isPlainObject, taskQueue: isName, timeout: integerFrom(1) },
      ['client', 'taskQueue'],
    );
    const { client, taskQueue, timeout = 30_000 } = options;
    this.#calls = new ProjectionCalls({ client, taskQueue, timeout });
  }

  /** Starts a projection where it left off. One that runs already stays as it is. */
  async start(name: string, options: StartProjectionOptions = {}): Promise<ProjectionStatus> {
    assertName(name);
    assertOptions('start', options, { heartbeatTimeout: integerFrom(1_000) });
    const input: ProjectionInput = { version: 1, name, heartbeatTimeout: options.heartbeatTimeout ?? 10_000 };
    return this.#calls.start(input);
  }

  /** Where it stands now; of a projection that was stopped, where it stood. */
  async status(name: string): Promise<ProjectionStatus> {
    assertName(name);
    try {
      const status = await this.#calls.update<ProjectionStatus>(name, projectionStatusUpdate);
      if (status.state !== 'running') return status;
      return { ...status, ...(await this.#calls.signs(name)) };
    } catch (error) {
      if (findEventStoreError(error, 'INVALID_ARGUMENT') === undefined) throw error;
      const last = await this.#calls.lastStatus(name);
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

  /**
   * Lets a publisher, a reaction or any other projection without a sink go on from somewhere else: after the store was restored or
   * replaced, under a name that was used before, or past what it can't do. `from` is the position behind which it goes on, or
   * `beginning`, `end`, or `checkpoint`: where it was, in the store as it is now. It runs from then on, unless it is paused. An event that comes
   * again has the same `id`.
   *
   * @throws InvalidArgumentError for a position behind the end of the store, and for a projection with a read model, which is rebuilt
   */
  rebase(
    name: string,
    options: { readonly from: RebaseFrom; readonly operator: string; readonly reason: string },
  ): Promise<ProjectionStatus> {
    assertOptions('rebase', options, { from: isRebaseFrom, operator: isName, reason: isName }, [
      'from',
      'operator',
      'reason',
    ]);
    const { from, operator, reason } = options;
    return this.#act(name, { action: 'rebase', from, operator, reason });
  }

  /** Makes the build live that was so before the last rebuild; it then catches up. */
  rollback(name: string): Promise<ProjectionStatus> {
    return this.#act(name, { action: 'rollback' });
  }

  /** The events that were not applied, in order, at most 200 and fewer where they have much to say (256 KiB); those that were skipped with who skipped them and why. */
  async parked(name: string): Promise<readonly ParkedEventSummary[]> {
    assertName(name);
    return this.#calls.update(name, parkedEventsUpdate);
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
    const look = <T>(call: () => Promise<T>): Promise<T> =>
      this.#calls.within(name, { timeout: Math.max(end - performance.now(), 0) + longestLook, signal }, call);
    let nextState = 0;
    for (let pause = firstPause; ; pause = Math.min(pause * 2, longestPause)) {
      const reached = await look(() => this.#calls.position(name));
      if (reached >= position) return;
      const now = performance.now();
      const isOver = now >= end;
      if (isOver || now >= nextState) {
        nextState = now + stateInterval;
        const status = await look(() => this.#calls.state(name));
        const hasEnded = ['blocked', 'failed', 'stopped'].includes(status.state);
        // It may have got there before it ended.
        if (isOver || (hasEnded && (await look(() => this.#calls.position(name))) < position)) {
          throw behind({ ...status, position: reached }, position, timeout);
        }
      }
      await wait(Math.min(pause, end - now), signal);
    }
  }

  async #act(name: string, action: ProjectionAction): Promise<ProjectionStatus> {
    assertName(name);
    return this.#calls.update(name, controlProjectionUpdate, action);
  }
}

function assertName(name: string): void {
  assertOptions('a projection client', { name }, { name: isName }, ['name']);
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
