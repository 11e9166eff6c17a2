import { findEventStoreError } from '../../core/errors/error-recognition.js';
import type { DomainEvent, EventToAppend } from '../../core/events/event.js';
import type {
  AllSlice,
  AppendOptions,
  AppendResult,
  EventStore,
  ReadAllOptions,
  ReadStreamOptions,
  StreamSlice,
} from '../../core/store/event-store.js';
import { checkFindCommit } from '../../core/store/read/read-options.js';
import type { AppendRequest, ReadAllRequest, ReadStreamRequest } from './activity-types.js';
import { toAppendRequest, toReadAllRequest, toReadStreamRequest } from './requests.js';

/** How the calls of a {@link RemoteEventStore} reach the store on the worker. */
export interface RemoteCalls {
  newCommitId(): string;
  append(request: AppendRequest, signal: AbortSignal | undefined): Promise<AppendResult>;
  readStream(request: ReadStreamRequest, signal: AbortSignal | undefined): Promise<StreamSlice>;
  readAll(request: ReadAllRequest, signal: AbortSignal | undefined): Promise<AllSlice>;
  findCommit(request: {
    readonly streamId: string;
    readonly commitId: string;
  }): Promise<AppendResult | undefined>;
}

/**
 * An event store on the other side of Temporal. Checks each call, sends it, and turns failures back into typed
 * errors.
 */
export class RemoteEventStore implements EventStore {
  readonly #calls: RemoteCalls;

  constructor(calls: RemoteCalls) {
    this.#calls = calls;
  }

  async appendToStream<E extends DomainEvent>(
    streamId: string,
    events: readonly EventToAppend<E>[],
    options?: AppendOptions,
  ): Promise<AppendResult> {
    const request = toAppendRequest(streamId, events, options, () => this.#calls.newCommitId());
    return rethrowTyped(this.#calls.append(request, options?.signal));
  }

  async readStream<E extends DomainEvent>(
    streamId: string,
    options?: ReadStreamOptions,
  ): Promise<StreamSlice<E>> {
    const request = toReadStreamRequest(streamId, options);
    return await rethrowTyped(this.#calls.readStream(request, options?.signal));
  }

  async readAll<E extends DomainEvent>(options?: ReadAllOptions): Promise<AllSlice<E>> {
    const request = toReadAllRequest(options);
    return await rethrowTyped(this.#calls.readAll(request, options?.signal));
  }

  async findCommit(streamId: string, commitId: string): Promise<AppendResult | undefined> {
    checkFindCommit(streamId, commitId);
    // A payload converter may make null of undefined.
    return (await rethrowTyped(this.#calls.findCommit({ streamId, commitId }))) ?? undefined;
  }
}

/** Throws the typed error inside a failure, if there is one. */
export async function rethrowTyped<T>(call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (error) {
    throw findEventStoreError(error) ?? error;
  }
}
