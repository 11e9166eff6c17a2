import {
  ApplicationFailure,
  proxyActivities,
  proxyLocalActivities,
  type LocalActivityOptions,
} from '@temporalio/workflow';
import { InvalidArgumentError } from '../../core/errors/invalid-argument-error.js';
import type { EventToAppend } from '../../core/events/event.js';
import type {
  MultiAppendOptions,
  MultiAppendResult,
  StreamAppend,
} from '../../core/store/append/multi-stream-appends.js';
import type {
  AllSlice,
  AppendOptions,
  AppendResult,
  ReadAllOptions,
  ReadStreamOptions,
  StreamSlice,
} from '../../core/store/event-store.js';
import type {
  StatisticsOptions,
  StoreStatistics,
  TrendBucket,
  TrendsOptions,
} from '../../core/store/statistics/statistics.js';
import type {
  AggregateActivities,
  AppendStreamsRequest,
  EventStoreActivities,
  ReplayedState,
  ReplayRequest,
} from '../shared/activity-types.js';
import { unknownHereType } from '../shared/command-lane.js';
import { onlyPart, rethrowTyped } from '../shared/remote-store.js';
import {
  assertInput,
  toAppendRequest,
  toAppendStreamsRequest,
  toReplayRequest,
  toStatisticsRequest,
  toTrendsRequest,
} from '../shared/requests.js';
import { appendOutcome, appendStreamsOutcome } from '../workflow/append-outcome.js';
import { nextCommitId } from '../workflow/commit-id.js';
import { proxyEventPublisher } from '../workflow/proxy-event-publisher.js';
import { storeOver } from '../workflow/proxy-event-store.js';
import { untilKnown } from '../workflow/until-known.js';

// These live in users' histories. A change to the commands that one of them issues needs `patched`; recorded histories
// of each release are replayed in the tests.

// Local, because a workflow with one local activity takes a third of the time of one with a regular activity. The
// server does the longer waits between attempts, so that a worker can stop meanwhile.
const localOptions: LocalActivityOptions = {
  startToCloseTimeout: '10 seconds',
  localRetryThreshold: '500 milliseconds',
  retry: { initialInterval: '50 milliseconds', maximumInterval: '2 seconds' },
};
const local = {
  activities: proxyLocalActivities<EventStoreActivities>(localOptions),
  asking: proxyLocalActivities<EventStoreActivities>({
    ...localOptions,
    scheduleToCloseTimeout: '10 seconds',
  }),
};
const scan = proxyLocalActivities<EventStoreActivities>({
  startToCloseTimeout: '2 minutes',
  localRetryThreshold: '500 milliseconds',
  retry: { initialInterval: '100 milliseconds', maximumInterval: '5 seconds' },
});
const { eventStoreReplay: replay } = proxyActivities<AggregateActivities>({
  startToCloseTimeout: '10 minutes',
  heartbeatTimeout: '20 seconds',
  // An eagerly dispatched retry would reach the worker that has just given the task back.
  allowEagerDispatch: false,
});
const store = storeOver(local);
const publisher = proxyEventPublisher();

/** Input of {@link eventStoreAppend}. Times are ISO strings. */
export interface AppendInput {
  readonly streamId: string;
  readonly events: readonly EventToAppend[];
  readonly options?: Omit<AppendOptions, 'signal'>;
  /**
   * Present when the caller's schemas have been applied; the worker then refuses an event that its own schemas
   * would change.
   */
  readonly schemasApplied?: true;
}

/**
 * Stores the events, then publishes them at least once if the worker has an `appendPublisher`; the workflow completes when
 * both are done. Without a `commitId` in the options, the commit gets one from the workflow.
 *
 * While a release is rolled out, start {@link eventStoreAppendStreams} for an append under a condition: a worker of a release
 * that knows no conditions refuses the option here, and leaves the other workflow to a worker that knows it.
 */
export async function eventStoreAppend(input: AppendInput): Promise<AppendResult> {
  const { streamId, events, options, schemasApplied, ...unknown } = assertInput('eventStoreAppend', input);
  assertNothingElse('eventStoreAppend', unknown);
  const request = {
    ...toAppendRequest(streamId as string, events ?? [], options, nextCommitId),
    ...(schemasApplied && { schemasApplied }),
  };
  if ('appends' in request) return onlyPart(await appendToStreams(request));
  const { result, publish } = await appendOutcome(local, request);
  if (publish) await publishParts([result]);
  return result;
}

/** Input of {@link eventStoreAppendStreams}. Times are ISO strings. */
export interface AppendStreamsInput {
  readonly appends: readonly StreamAppend[];
  readonly options?: Omit<MultiAppendOptions, 'signal'>;
  /** As in {@link AppendInput}. */
  readonly schemasApplied?: true;
}

/**
 * As {@link eventStoreAppend}, for several streams. The events of all of them are stored, or none; then they are published,
 * stream by stream in the order given.
 */
export async function eventStoreAppendStreams(input: AppendStreamsInput): Promise<MultiAppendResult> {
  const { appends, options, schemasApplied, ...unknown } = assertInput('eventStoreAppendStreams', input);
  assertNothingElse('eventStoreAppendStreams', unknown);
  return appendToStreams({
    ...toAppendStreamsRequest(appends ?? [], options, nextCommitId),
    ...(schemasApplied && { schemasApplied }),
  });
}

async function appendToStreams(request: AppendStreamsRequest): Promise<MultiAppendResult> {
  const { result, publish } = await appendStreamsOutcome(local, request);
  if (publish) await publishParts(result.parts);
  return result;
}

/** Also for a commit stored earlier: its process may have died before it published. */
async function publishParts(parts: readonly AppendResult[]): Promise<void> {
  for (const { streamId, version, eventIds } of parts) {
    await publisher.publish({ streamId, fromVersion: version - eventIds.length + 1, toVersion: version });
  }
}

/** A page of a stream. Its events are part of this workflow's history from then on. */
export async function eventStoreReadStream(
  input: Omit<ReadStreamOptions, 'signal'> & { readonly streamId: string },
): Promise<StreamSlice> {
  const { streamId, ...options } = assertInput('eventStoreReadStream', input);
  return store.readStream(streamId as string, options);
}

/** A page of all streams. Its events are part of this workflow's history from then on. */
export async function eventStoreReadAll(input: Omit<ReadAllOptions, 'signal'> = {}): Promise<AllSlice> {
  return store.readAll(assertInput('eventStoreReadAll', input));
}

/** The result of an earlier append with this commit id. */
export async function eventStoreFindCommit(input: {
  readonly streamId: string;
  readonly commitId: string;
}): Promise<AppendResult | undefined> {
  const { streamId, commitId, ...unknown } = assertInput('eventStoreFindCommit', input);
  assertNothingElse('eventStoreFindCommit', unknown);
  return store.findCommit(streamId as string, commitId as string);
}

/** Counts of events and streams. */
export async function eventStoreStatistics(
  input: Omit<StatisticsOptions, 'signal'> = {},
): Promise<StoreStatistics> {
  const request = toStatisticsRequest(assertInput('eventStoreStatistics', input));
  return rethrowTyped(scan.eventStoreStatistics(request));
}

/** Counts of events over time. */
export async function eventStoreTrends(
  input: Omit<TrendsOptions, 'signal'>,
): Promise<readonly TrendBucket[]> {
  const request = toTrendsRequest(assertInput('eventStoreTrends', input) as TrendsOptions);
  return rethrowTyped(scan.eventStoreTrends(request));
}

/** The state of an aggregate at any version or moment. Needs `createAggregateActivities` (or the plugin's `aggregates`). */
export async function eventStoreReplay(input: ReplayRequest): Promise<ReplayedState> {
  const request = toReplayRequest(input);
  const replayed = await untilKnown(
    (givesBack) =>
      rethrowTyped(replay({ ...request, givesBack })).catch((error: unknown) => {
        if (isGivenBack(error)) return undefined;
        throw error;
      }),
    (state) => state === undefined,
  );
  return replayed as ReplayedState;
}

function isGivenBack(error: unknown): boolean {
  const { cause } = error as { readonly cause?: unknown };
  return cause instanceof ApplicationFailure && cause.type === unknownHereType;
}

function assertNothingElse(call: string, unknown: object): void {
  const [name] = Object.keys(unknown);
  if (name !== undefined) throw new InvalidArgumentError(`${call} has no input '${name}'.`);
}
