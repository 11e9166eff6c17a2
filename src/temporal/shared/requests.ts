import { InvalidArgumentError } from '../../core/errors/invalid-argument-error.js';
import type { EventMetadata, EventToAppend } from '../../core/events/event.js';
import { validatedElsewhere, assertOptions, integerFrom, isName } from '../../core/options/options.js';
import { checkAppendOptions } from '../../core/store/append/append-options.js';
import { checkMultiAppend } from '../../core/store/append/multi-append.js';
import type { MultiAppendOptions, StreamAppend } from '../../core/store/append/multi-stream-appends.js';
import { prepareEvents, type PreparedEvent } from '../../core/store/append/prepare-events.js';
import { isStoredForm } from '../../core/store/append/stored-form.js';
import type { AppendOptions, ReadAllOptions, ReadStreamOptions } from '../../core/store/event-store.js';
import { checkAllRead, checkStreamRead } from '../../core/store/read/read-options.js';
import {
  checkStatistics,
  checkTrends,
  type StatisticsOptions,
  type TrendsOptions,
} from '../../core/store/statistics/statistics.js';
import { parseTimestamp } from '../../core/values/timestamp.js';
import type {
  AppendRequest,
  AppendStreamsRequest,
  ReadAllRequest,
  ReadStreamRequest,
  ReplayRequest,
  StatisticsRequest,
  TrendsRequest,
} from './activity-types.js';
import { assertFitsPayload } from './payload-size.js';

// Mistakes are found here, before anything travels. Requests are plain JSON, so that the user's payload converter has
// nothing to mangle.

/**
 * @returns an append under a condition in the form of those to several streams
 * @throws InvalidArgumentError · InvalidEventError · EventTooLargeError · the reason of an aborted signal
 */
export function toAppendRequest(
  streamId: string,
  events: readonly EventToAppend[],
  options: AppendOptions | undefined,
  newCommitId: () => string,
): AppendRequest | AppendStreamsRequest {
  const condition = checkAppendOptions(streamId, options);
  const append = {
    streamId,
    events: prepareEvents(events, options?.metadata).map(toEvent),
    expectedVersion: options?.expectedVersion ?? 'any',
  };
  const commit = {
    commitId: options?.commitId ?? newCommitId(),
    ...schemasAppliedTo(events),
  };
  return condition === undefined
    ? { ...append, ...commit }
    : fitting({ appends: [append], condition, ...commit });
}

/** @throws InvalidArgumentError · InvalidEventError · EventTooLargeError · the reason of an aborted signal */
export function toAppendStreamsRequest(
  appends: readonly StreamAppend[],
  options: MultiAppendOptions | undefined,
  newCommitId: () => string,
): AppendStreamsRequest {
  const { appends: prepared, condition } = checkMultiAppend(appends, options);
  return fitting({
    appends: prepared.map(({ streamId, events, expectedVersion }) => ({
      streamId,
      events: events.map(toEvent),
      expectedVersion,
    })),
    ...(condition !== undefined && { condition }),
    commitId: options?.commitId ?? newCommitId(),
    ...schemasAppliedTo(appends.flatMap(({ events }) => events)),
  });
}

function toEvent(prepared: PreparedEvent): EventToAppend {
  const { type, schemaVersion, data, metadata, tags, occurredAt } = prepared;
  return {
    type,
    schemaVersion,
    data: JSON.parse(data) as unknown,
    metadata: JSON.parse(metadata) as EventMetadata,
    tags,
    ...(occurredAt !== undefined && { occurredAt }),
  };
}

function schemasAppliedTo(events: readonly EventToAppend[]): { readonly schemasApplied?: true } {
  return events.every((event) => isStoredForm(event)) ? { schemasApplied: true } : {};
}

/** The limit of a commit counts its events, not the streams and filters beside them. */
function fitting(request: AppendStreamsRequest): AppendStreamsRequest {
  return assertFitsPayload('The append', request, 'Append to fewer streams at once, with fewer filters.');
}

/** @throws InvalidArgumentError · the reason of an aborted signal */
export function toReadStreamRequest(streamId: string, options?: ReadStreamOptions): ReadStreamRequest {
  checkStreamRead(streamId, options);
  return { streamId, ...withoutSignal(options) };
}

/** @throws InvalidArgumentError · the reason of an aborted signal */
export function toReadAllRequest(options?: ReadAllOptions): ReadAllRequest {
  const { filters } = checkAllRead(options);
  const { filter: _, ...rest } = withoutSignal(options);
  return { ...rest, ...(filters !== undefined && { filter: filters }) };
}

/** @throws InvalidArgumentError · the reason of an aborted signal */
export function toStatisticsRequest(options?: StatisticsOptions): StatisticsRequest {
  const filters = checkStatistics(options);
  return filters === undefined ? {} : { filter: filters };
}

/** @throws InvalidArgumentError · the reason of an aborted signal */
export function toTrendsRequest(options: TrendsOptions): TrendsRequest {
  const { filters, interval } = checkTrends(options);
  return { interval, ...(filters !== undefined && { filter: filters }) };
}

/** @throws InvalidArgumentError */
export function toReplayRequest(input: ReplayRequest): ReplayRequest & { readonly until?: string } {
  assertOptions(
    'a replay',
    assertInput('a replay', input),
    { aggregate: isName, id: isName, toVersion: integerFrom(0), until: validatedElsewhere },
    ['aggregate', 'id'],
  );
  const { until, ...rest } = input;
  if (until === undefined) return rest;
  const parsed = parseTimestamp(until);
  if ('problem' in parsed) {
    throw new InvalidArgumentError(`The option 'until' of a replay ${parsed.problem}.`);
  }
  return { ...rest, until: parsed.iso };
}

/**
 * Checks the input of a workflow, which may have been started with anything, such as from a command line.
 *
 * @throws InvalidArgumentError
 */
export function assertInput<T extends object>(call: string, input: T): Partial<T> {
  if (typeof input === 'object' && input !== null && !Array.isArray(input)) return input;
  throw new InvalidArgumentError(`The input of ${call} must be one object.`);
}

function withoutSignal<T extends { readonly signal?: AbortSignal }>(
  options: T | undefined,
): Omit<T, 'signal'> {
  const { signal: _, ...rest } = options ?? ({} as T);
  return rest;
}
