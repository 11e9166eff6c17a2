import {
  isGrpcServiceError,
  ServiceError,
  WorkflowExecutionAlreadyStartedError,
  WorkflowFailedError,
  type Client,
} from '@temporalio/client';
import { StoreUnavailableError } from '../../core/errors/errors.js';
import { uuidV5 } from '../../core/events/event-id.js';
import type {
  EventStatistics,
  StatisticsOptions,
  StoreStatistics,
  TrendBucket,
  TrendsOptions,
} from '../../core/store/capabilities.js';
import type { AppendResult, EventStore } from '../../core/store/event-store.js';
import { assertOptions, isName, isPlainObject } from '../../core/store/options.js';
import { canonicalJson } from '../../core/values/json.js';
import type { AppendRequest, ReplayedState, ReplayRequest } from '../shared/activity-types.js';
import { RemoteEventStore, typed } from '../shared/remote-store.js';
import { toReplayRequest, toStatisticsRequest, toTrendsRequest } from '../shared/requests.js';
import { shortWorkflowId } from '../shared/workflow-id.js';

export interface TemporalEventStoreOptions {
  readonly client: Client;
  /** Of a worker with the library's workflows and activities: one with `EventStorePlugin`, for example. */
  readonly taskQueue: string;
}

/** A read that nobody answers ends after this time, so that reads can't pile up behind a missing worker. */
const readTimeout = '1 minute';

/**
 * An event store for a service that has no access to the database: each call is a short workflow on a worker that has.
 * It behaves as the store on the worker does. It is slower by a round trip through Temporal, and what is read stays in
 * the histories of its workflows; a service with access to the database reads directly.
 *
 * An append is durable: once its workflow is started it goes through, whoever dies. The same append sent again while
 * the first is under way joins it.
 *
 * @throws StoreUnavailableError from any method when Temporal or the worker gives no answer
 * @example
 * const store = new TemporalEventStore({ client: new Client({ connection }), taskQueue: 'events' });
 */
export class TemporalEventStore extends RemoteEventStore implements EventStore, EventStatistics {
  readonly #client: Client;
  readonly #taskQueue: string;

  /** @throws InvalidArgumentError for a missing or unknown option */
  constructor(options: TemporalEventStoreOptions) {
    assertOptions('TemporalEventStore', options, { client: isPlainObject, taskQueue: isName }, [
      'client',
      'taskQueue',
    ]);
    super({
      newCommitId: () => crypto.randomUUID(),
      append: (request, signal) => this.#append(request, signal),
      readStream: (request, signal) => this.#read('eventStoreReadStream', request, signal),
      readAll: (request, signal) => this.#read('eventStoreReadAll', request, signal),
      findCommit: (request) => this.#read('eventStoreFindCommit', request),
    });
    this.#client = options.client;
    this.#taskQueue = options.taskQueue;
  }

  async statistics(options?: StatisticsOptions): Promise<StoreStatistics> {
    return typed(
      this.#read('eventStoreStatistics', toStatisticsRequest(options), options?.signal, '10 minutes'),
    );
  }

  async trends(options: TrendsOptions): Promise<readonly TrendBucket[]> {
    return typed(this.#read('eventStoreTrends', toTrendsRequest(options), options.signal, '10 minutes'));
  }

  /** The state of an aggregate at any version or moment; the worker must know the aggregate. */
  async replay(request: ReplayRequest): Promise<ReplayedState> {
    return typed(this.#read('eventStoreReplay', toReplayRequest(request), undefined, '10 minutes'));
  }

  async #append(request: AppendRequest, signal: AbortSignal | undefined): Promise<AppendResult> {
    const { streamId, events, commitId, expectedVersion, schemasApplied } = request;
    const workflowId = appendWorkflowId(this.#taskQueue, request);
    return this.#answer(signal, commitId, async () => {
      try {
        const handle = await this.#client.workflow.start<(input: object) => Promise<AppendResult>>(
          'eventStoreAppend',
          {
            workflowId,
            taskQueue: this.#taskQueue,
            args: [
              {
                streamId,
                events,
                options: { commitId, expectedVersion },
                ...(schemasApplied && { schemasApplied }),
              },
            ],
            workflowIdReusePolicy: 'ALLOW_DUPLICATE',
            workflowIdConflictPolicy: 'FAIL',
          },
        );
        return await handle.result();
      } catch (error) {
        if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
        const result = (await this.#client.workflow.getHandle(workflowId).result()) as AppendResult;
        return { ...result, deduplicated: true };
      }
    });
  }

  #read<T>(
    workflowType: string,
    request: object,
    signal?: AbortSignal,
    timeout: typeof readTimeout | '10 minutes' = readTimeout,
  ): Promise<T> {
    return this.#answer(signal, undefined, () =>
      this.#client.workflow.execute<(input: object) => Promise<T>>(workflowType, {
        workflowId: `event-store/${workflowType}/${crypto.randomUUID()}`,
        taskQueue: this.#taskQueue,
        args: [request],
        workflowExecutionTimeout: timeout,
      }),
    );
  }

  async #answer<T>(
    signal: AbortSignal | undefined,
    commitId: string | undefined,
    call: () => Promise<T>,
  ): Promise<T> {
    try {
      return signal === undefined ? await call() : await this.#client.withAbortSignal(signal, call);
    } catch (error) {
      signal?.throwIfAborted();
      throw isUnanswered(error) ? unavailable(this.#taskQueue, commitId, error) : error;
    }
  }
}

/**
 * Says what it is for where it fits. It ends in a hash of all that is asked for, so that only the very same append joins
 * one that is under way; another with the same commit id runs by itself, and the store refuses it.
 */
function appendWorkflowId(taskQueue: string, request: AppendRequest): string {
  const hash = uuidV5(canonicalJson(request));
  const id = `event-store/append/${taskQueue}/${request.streamId}/${request.commitId}/${hash}`;
  return shortWorkflowId(id, () => `event-store/append/${uuidV5(`${taskQueue} ${hash}`)}`);
}

/** Whether what became of the call is unknown: Temporal can't be reached, or no worker took it in time. */
function isUnanswered(error: unknown): boolean {
  return (
    error instanceof ServiceError ||
    isGrpcServiceError(error) ||
    (error instanceof WorkflowFailedError && error.cause?.name === 'TimeoutFailure')
  );
}

function unavailable(taskQueue: string, commitId: string | undefined, cause: unknown): StoreUnavailableError {
  return new StoreUnavailableError(
    `No answer through Temporal from task queue '${taskQueue}'. Is the server up, and does a worker with the event ` +
      `store's workflows and activities poll that queue? ` +
      (commitId === undefined ? 'Try again.' : `Try again with the commit id '${commitId}'.`),
    { commitId, cause },
  );
}
