import { findEventStoreError } from '../../core/errors/error-recognition.js';
import type { DomainEvent, EventToAppend } from '../../core/events/event.js';
import type {
  MultiAppendOptions,
  MultiAppendResult,
  MultiStreamAppends,
  StreamAppend,
} from '../../core/store/append/multi-stream-appends.js';
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
import type {
  AppendRequest,
  AppendStreamsRequest,
  ReadAllRequest,
  ReadStreamRequest,
} from './activity-types.js';
import {
  toAppendRequest,
  toAppendStreamsRequest,
  toReadAllRequest,
  toReadStreamRequest,
} from './requests.js';

/** How the calls of a {@link RemoteEventStore} reach the store on the worker. */
export interface RemoteCalls {
  newCommitId(): string;
  append(request: AppendRequest, signal: AbortSignal | undefined): Promise<AppendResult>;
  appendToStreams(request: AppendStreamsRequest, signal: AbortSignal | undefined): Promise<MultiAppendResult>;
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
export class RemoteEventStore implements EventStore, MultiStreamAppends {
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
    if (!('appends' in request)) return rethrowTyped(this.#calls.append(request, options?.signal));
    return onlyPart(await rethrowTyped(this.#calls.appendToStreams(request, options?.signal)));
  }

  async appendToStreams<E extends DomainEvent>(
    appends: readonly StreamAppend<E>[],
    options?: MultiAppendOptions,
  ): Promise<MultiAppendResult> {
    const request = toAppendStreamsRequest(appends, options, () => this.#calls.newCommitId());
    return rethrowTyped(this.#calls.appendToStreams(request, options?.signal));
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

/** The result of an append to one stream that travelled as one to several. */
export function onlyPart({ parts }: MultiAppendResult): AppendResult {
  return parts[0] as AppendResult;
}

/** Throws the typed error inside a failure, if there is one. */
export async function rethrowTyped<T>(call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (error) {
    throw findEventStoreError(error) ?? error;
  }
}
