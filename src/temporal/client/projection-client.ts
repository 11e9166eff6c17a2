import type { Client } from '@temporalio/client';
import { findEventStoreError } from '../../core/errors/error-recognition.js';
import { ProjectionBehindError } from '../../core/errors/projection-errors.js';
import { assertOptions, integerFrom, isName, isPlainObject, isSignal } from '../../core/options/options.js';
import { longestTimer } from '../../core/values/longest-timer.js';
import {
  controlProjectionUpdate,
  isRebaseFrom,
  parkedEventsUpdate,
  projectionStatusUpdate,
  type Patience,
  type ProjectionAction,
  type ReachedPosition,
  type RebaseFrom,
} from '../shared/projection-requests.js';
import type { ProjectionInput, ParkedEventSummary } from '../shared/projection-run.js';
import { stateOf, type ProjectionStatus } from '../shared/projection-status.js';
import {
  limitsOf,
  longestLook,
  ProjectionCalls,
  type CallLimits,
  type KnownState,
} from './projection-calls.js';

export interface ProjectionClientOptions {
  readonly client: Client;
  /** The task queue of a worker that knows the projections, such as one with `EventStorePlugin({ store, projections })`. */
  readonly taskQueue: string;
  /** Milliseconds after which a call without an answer fails; it is retried meanwhile. Default 30,000. */
  readonly timeout?: number;
}

export interface StartProjectionOptions {
  /** Milliseconds without a heartbeat after which another worker takes over. Default 10,000. */
  readonly heartbeatTimeout?: number;
}

export interface WaitForOptions {
  /** Milliseconds. The answer may take 5 seconds more when the worker is busy. Default 30,000. */
  readonly timeout?: number;
  readonly signal?: AbortSignal;
}

export interface StatusOptions {
  /** Milliseconds. Default: the client's. */
  readonly timeout?: number;
  readonly signal?: AbortSignal;
}

/** Part of a call's time, and most milliseconds, that the projection gets to answer. */
const forAnswer = { part: 0.6, longest: 20_000 };
const forStatus = { part: 0.4, longest: 4_000 };
/** The same for a start: after 10 seconds it is clear whether any worker knows the projection. */
const forStart = { part: 0.6, longest: 12_000 };

/**
 * Starts projections, shows their status, and carries out what operators decide. A projection runs as a workflow of its
 * own, on any worker that knows it.
 *
 * Every method throws ProjectionNotRunningError for a projection that isn't running, ProjectionUnknownError for one that no worker
 * knows, and StoreUnavailableError when Temporal or the worker gives no answer.
 *
 * @example
 * const projections = new ProjectionClient({ client: new Client({ connection }), taskQueue: 'accounts' });
 * await projections.start('balances');
 * const { position } = await store.appendToStream('Account-7', [deposited(5)]);
 * await projections.waitFor('balances', position);
 */
export class ProjectionClient {
  readonly #calls: ProjectionCalls;
  readonly #timeout: number;

  /** @throws InvalidArgumentError for a missing, unknown or malformed option */
  constructor(options: ProjectionClientOptions) {
    assertOptions(
      'ProjectionClient',
      options,
      { client: isPlainObject, taskQueue: isName, timeout: integerFrom(1) },
      ['client', 'taskQueue'],
    );
    const { client, taskQueue, timeout = 30_000 } = options;
    this.#calls = new ProjectionCalls({ client, taskQueue });
    this.#timeout = timeout;
  }

  /**
   * Starts a projection where it left off. A running projection stays as it is.
   *
   * @returns its status: `waiting`, with the reason, when its store can't be reached
   * @throws ProjectionUnknownError after 10 seconds in which no worker knew it, with the projections that they know
   */
  async start(name: string, options: StartProjectionOptions = {}): Promise<ProjectionStatus> {
    assertName(name);
    assertOptions('start', options, { heartbeatTimeout: integerFrom(1_000) });
    const input: ProjectionInput = { version: 1, name, heartbeatTimeout: options.heartbeatTimeout ?? 10_000 };
    const limits = limitsOf(this.#timeout);
    const status = await this.#calls.start(input, patienceOf(forStart, limits), limits);
    return status.state === 'waiting' ? this.#withSigns(status, limits) : status;
  }

  /**
   * The current status. After a stop: the last one. While the store can't be reached: what was last known, `waiting`
   * with the reason.
   */
  async status(name: string, options: StatusOptions = {}): Promise<ProjectionStatus> {
    assertName(name);
    assertOptions('status', options, { timeout: integerFrom(1), signal: isSignal });
    const { timeout = this.#timeout, signal } = options;
    const limits = limitsOf(timeout, signal);
    try {
      const args = [patienceOf(forStatus, limits)] as const;
      const status = await this.#calls.update<ProjectionStatus>(name, projectionStatusUpdate, args, limits);
      return await this.#withSigns(status, limits);
    } catch (error) {
      if (findEventStoreError(error, 'PROJECTION_NOT_RUNNING') === undefined) throw error;
      const last = await this.#calls.lastStatus(name, limits);
      if (last === undefined) throw error;
      return last;
    }
  }

  /** Adds what holds the projection up, which its workflow doesn't learn. */
  async #withSigns(status: ProjectionStatus, limits: CallLimits): Promise<ProjectionStatus> {
    const { rebuild, waitsFor: known, state, ...rest } = status;
    const isOn = state === 'running' || state === 'waiting';
    if (!isOn && rebuild === undefined) return status;
    // The status is useful without them, too.
    const found = this.#calls
      .signs(status.name, { position: rest.position, next: rebuild?.build }, limits)
      .catch(() => undefined);
    const { waitsFor, warning, rebuildWaitsFor } = (await found) ?? {};
    limits.signal?.throwIfAborted();
    return {
      ...rest,
      ...(isOn ? stateOf('running', waitsFor ?? known) : stateOf(state, known)),
      ...(isOn && warning !== undefined && { warning }),
      ...(rebuild !== undefined && {
        rebuild: { ...rebuild, ...(rebuildWaitsFor !== undefined && { waitsFor: rebuildWaitsFor }) },
      }),
    };
  }

  /**
   * Stops applying events until the projection is resumed. When it returns, nothing is being applied.
   *
   * @throws StoreUnavailableError when the sink can't be reached: the projection then begins nothing more, but a
   *   worker that can reach the sink may still write what it had begun
   */
  pause(name: string): Promise<ProjectionStatus> {
    return this.#act(name, { action: 'pause' });
  }

  /** Goes on after a pause, or after the cause of a failure was removed. */
  resume(name: string): Promise<ProjectionStatus> {
    return this.#act(name, { action: 'resume' });
  }

  /**
   * Ends the projection's workflow. The read model and the checkpoint stay, and `start` goes on from there.
   *
   * @throws as `pause`; the workflow has then ended, too
   */
  stop(name: string): Promise<ProjectionStatus> {
    return this.#act(name, { action: 'stop' });
  }

  /**
   * Builds a version of the read model beside the live one, which goes on serving; once it has caught up and the
   * projection's `verify` has passed, it becomes live at once. Returns when the rebuild has begun; `status` shows how
   * far it is.
   *
   * Default `version`: the newest known, never older than the live one. While a release is rolled out, give the
   * version: only workers that know it then build it.
   *
   * @throws RebuildUnderWayError when a rebuild has begun already
   */
  rebuild(
    name: string,
    options: { readonly maxEventsPerSecond?: number; readonly version?: number } = {},
  ): Promise<ProjectionStatus> {
    assertOptions('rebuild', options, { maxEventsPerSecond: integerFrom(1), version: integerFrom(1) });
    const { maxEventsPerSecond: maxRate, version } = options;
    return this.#act(name, {
      action: 'rebuild',
      ...(maxRate !== undefined && { maxRate }),
      ...(version !== undefined && { version }),
    });
  }

  /** Gives up a rebuild, even a failed one, and drops its build. @throws RebuildNotUnderWayError */
  cancelRebuild(name: string): Promise<ProjectionStatus> {
    return this.#act(name, { action: 'cancelRebuild' });
  }

  /**
   * Moves a publisher, a reaction or any other projection without a sink to another position: after the store was
   * restored or replaced, under a name that was used before, or past events that it can't handle. `from` is the
   * position after which it goes on, or `beginning`, `end`, or `checkpoint`: where it was, in the store as it is now.
   * It then runs, unless it is paused. An event that comes again has the same `id`.
   *
   * @throws PositionAheadOfStoreError for a position beyond the end of the store · InvalidArgumentError for a
   *   projection with a read model: rebuild it instead · RebuildUnderWayError
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

  /** Makes the build live again that was live before the last rebuild; it then catches up. @throws NoPreviousBuildError */
  rollback(name: string): Promise<ProjectionStatus> {
    return this.#act(name, { action: 'rollback' });
  }

  /**
   * The events that were not applied, in order: at most 200, or as many as fit into 256 KiB. Skipped events say who
   * skipped them and why.
   */
  async parked(name: string): Promise<readonly ParkedEventSummary[]> {
    assertName(name);
    const limits = limitsOf(this.#timeout);
    return this.#calls.update(name, parkedEventsUpdate, [patienceOf(forAnswer, limits)], limits);
  }

  /** Retries an event, and the events of its stream that wait behind it. @throws EventNotParkedError */
  retry(name: string, eventId: string): Promise<ProjectionStatus> {
    return this.#act(name, { action: 'retry', eventId });
  }

  /** Passes over an event for good. The operator and the reason are kept. @throws EventNotParkedError */
  skip(
    name: string,
    eventId: string,
    by: { readonly operator: string; readonly reason: string },
  ): Promise<ProjectionStatus> {
    assertOptions('skip', by, { operator: isName, reason: isName }, ['operator', 'reason']);
    return this.#act(name, { action: 'skip', eventId, operator: by.operator, reason: by.reason });
  }

  /**
   * Waits until the read model holds all events up to a position, such as that of an append, to read one's own writes.
   *
   * @throws ProjectionBehindError when the projection doesn't get there in time, or has stopped on the way
   */
  async waitFor(name: string, position: number, options: WaitForOptions = {}): Promise<void> {
    assertName(name);
    assertOptions('waitFor', { position }, { position: integerFrom(0) }, ['position']);
    assertOptions('waitFor', options, { timeout: integerFrom(0), signal: isSignal });
    const { signal } = options;
    const timeout = Math.min(options.timeout ?? 30_000, longestTimer);
    await this.#calls.within(name, { timeout: timeout + longestLook, signal }, async (cancelled) => {
      const settled = new AbortController();
      const end = AbortSignal.any([cancelled, settled.signal]);
      try {
        const over = this.#calls.over(name, end);
        // It may reject when no one awaits it any more.
        over.catch(() => undefined);
        const reaching = this.#calls.reached(name, position, timeout, end).catch(async (error: unknown) => {
          // The server may know that the projection was never started, but be slower to say so.
          await this.#assertStarted(name);
          throw error;
        });
        const outcome = await Promise.race([reaching, over]);
        const state = 'isOver' in outcome ? outcome : undefined;
        // The projection may have got there before it ended.
        const reached = 'isOver' in outcome ? await this.#calls.reached(name, position, 0, end) : outcome;
        if ((reached.position ?? -1) >= position) return;
        throw await this.#behind(name, { position, timeout, reached }, state);
      } finally {
        settled.abort();
      }
    });
  }

  /** @throws ProjectionNotRunningError when the server knows that it was never started */
  async #assertStarted(name: string): Promise<void> {
    try {
      await this.#calls.state(name);
    } catch (error) {
      if (findEventStoreError(error, 'PROJECTION_NOT_RUNNING') !== undefined) throw error;
    }
  }

  /** @param over the projection's state, if it doesn't go on by itself */
  async #behind(
    name: string,
    wait: {
      readonly position: number;
      readonly timeout: number;
      readonly reached: ReachedPosition;
    },
    over: KnownState | undefined,
  ): Promise<ProjectionBehindError> {
    const { position, timeout, reached } = wait;
    const { position: reachedPosition = 0 } = reached;
    const { mode, why } = over ?? (await this.#calls.state(name));
    const where = `The projection '${name}' is at position ${reachedPosition}, not ${position}`;
    const fields = { projection: name, position, reachedPosition };
    const error = (text: string): ProjectionBehindError => new ProjectionBehindError(text, fields);
    if (mode !== 'running') return error(`${where}, and is ${mode}.${why === undefined ? '' : ` ${why}`}`);
    const signs = await this.#calls
      .signs(name, { position: reachedPosition }, limitsOf(longestLook))
      .catch(() => undefined);
    const waitsFor = signs?.waitsFor ?? reached.waitsFor;
    return waitsFor === undefined
      ? error(`${where}, after ${timeout} ms. Wait longer, or see whether it keeps up.`)
      : error(`${where}, after ${timeout} ms, and is waiting. ${waitsFor}`);
  }

  async #act(name: string, action: ProjectionAction): Promise<ProjectionStatus> {
    assertName(name);
    const limits = limitsOf(this.#timeout);
    const args = [action, patienceOf(forAnswer, limits)] as const;
    return this.#calls.update(name, controlProjectionUpdate, args, limits);
  }
}

function patienceOf(
  { part, longest }: { readonly part: number; readonly longest: number },
  { timeout }: CallLimits,
): Patience {
  return { within: Math.min(longest, Math.ceil(timeout * part)) };
}

function assertName(name: string): void {
  assertOptions('a projection client', { name }, { name: isName }, ['name']);
}
