import {
  isGrpcServiceError,
  ServiceError,
  WorkflowExecutionAlreadyStartedError,
  WorkflowFailedError,
  type Client,
} from '@temporalio/client';
import { StoreUnavailableError } from '../../core/errors/store-errors.js';
import { uuidV5 } from '../../core/events/event-id.js';
import { assertOptions, integerFrom, isName, isPlainObject, isSignal } from '../../core/options/options.js';
import type { MultiAppendResult, MultiStreamAppends } from '../../core/store/append/multi-stream-appends.js';
import type { AppendResult, EventStore } from '../../core/store/event-store.js';
import type {
  EventStatistics,
  StatisticsOptions,
  StoreStatistics,
  TrendBucket,
  TrendsOptions,
} from '../../core/store/statistics/statistics.js';
import { describeError } from '../../core/values/describe-error.js';
import { canonicalJson } from '../../core/values/json.js';
import type {
  AppendRequest,
  AppendRequestPart,
  AppendStreamsRequest,
  ReplayedState,
  ReplayRequest,
} from '../shared/activity-types.js';
import { RemoteEventStore, rethrowTyped } from '../shared/remote-store.js';
import { toReplayRequest, toStatisticsRequest, toTrendsRequest } from '../shared/requests.js';
import { workflowIdOf } from '../shared/workflow-id.js';
import { whyUnanswered } from './why-unanswered.js';
import { TimeIsUpError, withinTime, type WaitLimits } from './within-time.js';

export interface TemporalEventStoreOptions {
  readonly client: Client;
  /** The task queue of a worker with the library's workflows and activities, such as one with `EventStorePlugin`. */
  readonly taskQueue: string;
  /** Milliseconds that a call waits for its answer. Default 30,000; for statistics and trends 150,000. */
  readonly timeout?: number;
}

/** Limits of the wait for a replay. */
export interface ReplayOptions {
  /** Milliseconds. Default: the store's `timeout`, 30,000. */
  readonly timeout?: number;
  /** Ends the wait. */
  readonly signal?: AbortSignal;
}

const defaultTimeout = 30_000;
/** Longer than an attempt to scan a whole store may take. */
const scanTimeout = 150_000;
/** Milliseconds that a read's workflow may outlive its caller's wait, so that such workflows don't pile up. */
const afterlife = 5_000;

/** A workflow that is run for its answer. */
interface Call<T> {
  readonly workflowId: string;
  readonly limits: WaitLimits;
  /** Set for an append. */
  readonly commitId?: string;
  readonly run: () => Promise<T>;
}

/** An append by a workflow that the very same append joins while it is under way. */
interface DurableAppend<Result> {
  readonly workflowType: string;
  readonly input: object;
  readonly workflowId: string;
  readonly commitId: string;
  /** The result for a call that stored nothing itself. */
  readonly joined: (result: Result) => Result;
  readonly signal: AbortSignal | undefined;
}

/**
 * An event store for a service without access to the database: each call is a short workflow on a worker that has it.
 * It behaves like the store on the worker. It is slower by a round trip through Temporal, and events that are read
 * stay in the histories of the workflows; a service with access to the database should read directly.
 *
 * An append, to one stream or several, is durable: once its workflow is started it goes through, whichever process dies, and even if no caller
 * waits any more. If its signal aborts meanwhile, the error is STORE_UNAVAILABLE with the commit id. The same append
 * sent again joins the first while that is under way.
 *
 * @throws StoreUnavailableError from any method when Temporal or the worker gives no answer in time, with the reason
 *   as far as it is known
 * @example
 * const store = new TemporalEventStore({ client: new Client({ connection }), taskQueue: 'events' });
 */
export class TemporalEventStore
  extends RemoteEventStore
  implements EventStore, EventStatistics, MultiStreamAppends
{
  readonly #client: Client;
  readonly #taskQueue: string;
  readonly #timeout: number | undefined;

  /** @throws InvalidArgumentError for a missing or unknown option */
  constructor(options: TemporalEventStoreOptions) {
    assertOptions(
      'TemporalEventStore',
      options,
      { client: isPlainObject, taskQueue: isName, timeout: integerFrom(1) },
      ['client', 'taskQueue'],
    );
    super({
      newCommitId: () => crypto.randomUUID(),
      append: (request, signal) => this.#append(request, signal),
      appendToStreams: (request, signal) => this.#appendToStreams(request, signal),
      readStream: (request, signal) => this.#read('eventStoreReadStream', request, { signal }),
      readAll: (request, signal) => this.#read('eventStoreReadAll', request, { signal }),
      findCommit: (request) => this.#read('eventStoreFindCommit', request, {}),
    });
    this.#client = options.client;
    this.#taskQueue = options.taskQueue;
    this.#timeout = options.timeout;
  }

  async statistics(options?: StatisticsOptions): Promise<StoreStatistics> {
    const request = toStatisticsRequest(options);
    return rethrowTyped(this.#read('eventStoreStatistics', request, this.#scanLimits(options?.signal)));
  }

  async trends(options: TrendsOptions): Promise<readonly TrendBucket[]> {
    return rethrowTyped(
      this.#read('eventStoreTrends', toTrendsRequest(options), this.#scanLimits(options.signal)),
    );
  }

  /**
   * The state of an aggregate at any version or moment; the worker must know the aggregate.
   *
   * @throws CommandFailedError · InvalidEventError at once, when the state can't be built from the events
   * @throws EventTooLargeError when the state is too large to travel
   */
  async replay(request: ReplayRequest, options: ReplayOptions = {}): Promise<ReplayedState> {
    const checked = toReplayRequest(request);
    assertOptions('replay', options, { timeout: integerFrom(1), signal: isSignal });
    options.signal?.throwIfAborted();
    return rethrowTyped(this.#read('eventStoreReplay', checked, options));
  }

  #scanLimits(signal: AbortSignal | undefined): WaitLimits {
    return { timeout: this.#timeout ?? scanTimeout, signal };
  }

  #append(request: AppendRequest, signal: AbortSignal | undefined): Promise<AppendResult> {
    const { streamId, events, commitId, expectedVersion, schemasApplied } = request;
    return this.#startOrJoin({
      workflowType: 'eventStoreAppend',
      input: {
        streamId,
        events,
        options: { commitId, expectedVersion },
        ...(schemasApplied && { schemasApplied }),
      },
      workflowId: appendWorkflowId(this.#taskQueue, streamId, request),
      commitId,
      joined: (result: AppendResult) => ({ ...result, deduplicated: true }),
      signal,
    });
  }

  #appendToStreams(
    request: AppendStreamsRequest,
    signal: AbortSignal | undefined,
  ): Promise<MultiAppendResult> {
    const { appends, commitId, condition, schemasApplied } = request;
    const [{ streamId: home }] = appends as readonly [AppendRequestPart];
    return this.#startOrJoin({
      workflowType: 'eventStoreAppendStreams',
      input: {
        appends,
        options: { commitId, ...(condition && { condition }) },
        ...(schemasApplied && { schemasApplied }),
      },
      workflowId: appendWorkflowId(this.#taskQueue, home, request),
      commitId,
      joined: (result: MultiAppendResult) => ({
        ...result,
        deduplicated: true,
        parts: result.parts.map((part) => ({ ...part, deduplicated: true })),
      }),
      signal,
    });
  }

  #startOrJoin<Result>(append: DurableAppend<Result>): Promise<Result> {
    const { workflowType, input, workflowId, commitId, joined, signal } = append;
    const limits = { timeout: this.#timeout ?? defaultTimeout, signal };
    const run = async (): Promise<Result> => {
      try {
        const handle = await this.#client.workflow.start<(input: object) => Promise<Result>>(workflowType, {
          workflowId,
          taskQueue: this.#taskQueue,
          args: [input],
          workflowIdReusePolicy: 'ALLOW_DUPLICATE',
          workflowIdConflictPolicy: 'FAIL',
        });
        return await handle.result();
      } catch (error) {
        if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
        return joined((await this.#client.workflow.getHandle(workflowId).result()) as Result);
      }
    };
    return this.#answer({ workflowId, commitId, limits, run });
  }

  #read<T>(
    workflowType: string,
    request: object,
    { timeout = this.#timeout ?? defaultTimeout, signal }: Partial<WaitLimits>,
  ): Promise<T> {
    const workflowId = workflowIdOf(workflowType, crypto.randomUUID());
    return this.#answer({
      workflowId,
      limits: { timeout, signal },
      run: () =>
        this.#client.workflow.execute<(input: object) => Promise<T>>(workflowType, {
          workflowId,
          taskQueue: this.#taskQueue,
          args: [request],
          workflowExecutionTimeout: timeout + afterlife,
        }),
    });
  }

  async #answer<T>({ workflowId, limits, commitId, run }: Call<T>): Promise<T> {
    try {
      return await withinTime(this.#client, limits, run);
    } catch (error) {
      const { signal } = limits;
      if (signal?.aborted === true && commitId !== undefined) throw noLongerAwaited(signal.reason, commitId);
      signal?.throwIfAborted();
      if (!isUnanswered(error)) throw error;
      const client = this.#client;
      const taskQueue = this.#taskQueue;
      const why = await whyUnanswered({ client, taskQueue, workflowId });
      const what = error instanceof TimeIsUpError ? error.message : 'No answer through Temporal.';
      throw new StoreUnavailableError(`${what} ${why} ${retryAdvice(commitId)}`, { commitId, cause: error });
    }
  }
}

/**
 * Names the (home) stream and commit, if they fit. The id ends in a hash of the whole request, so that only the very same
 * append joins one under way; another with the same commit id runs by itself, and the store refuses it.
 */
function appendWorkflowId(
  taskQueue: string,
  streamId: string,
  request: AppendRequest | AppendStreamsRequest,
): string {
  const hash = uuidV5(canonicalJson(request));
  return workflowIdOf('append', taskQueue, streamId, request.commitId, hash);
}

/** Whether the outcome of the call is unknown: Temporal can't be reached, or no worker took the call in time. */
function isUnanswered(error: unknown): boolean {
  return (
    error instanceof TimeIsUpError ||
    error instanceof ServiceError ||
    isGrpcServiceError(error) ||
    (error instanceof WorkflowFailedError && error.cause?.name === 'TimeoutFailure')
  );
}

/** The error of an append whose caller no longer waits. */
function noLongerAwaited(reason: unknown, commitId: string): StoreUnavailableError {
  return new StoreUnavailableError(
    `The wait for the append was ended (${describeError(reason)}). ${retryAdvice(commitId)}`,
    { commitId, cause: reason },
  );
}

function retryAdvice(commitId: string | undefined): string {
  return commitId === undefined
    ? 'Try again.'
    : `The append may go through yet; try again with the commit id '${commitId}'.`;
}
