import type { CommandReceipt } from '../../core/aggregates/commands.js';
import { eventIdOf, uuidV5 } from '../../core/events/event-id.js';
import type { EventMetadata } from '../../core/events/event.js';
import type { JsonValue } from '../../core/values/json.js';
import { fromErrorMessage, type ErrorMessage } from './error-message.js';
import { shortWorkflowId } from './workflow-id.js';

/** A command as it travels. */
export interface LaneCommand {
  /** Of the aggregate. */
  readonly id: string;
  readonly commandId: string;
  readonly name: string;
  readonly payload?: JsonValue;
  readonly metadata?: EventMetadata;
  /** Of its events. Default: the command id. */
  readonly causationId?: string;
}

/** What became of a command. */
export type CommandOutcome =
  | {
      readonly kind: 'committed';
      /** Of the stream after the command. */
      readonly version: number;
      /** Of its last event; of the last one of the stream, when it changed nothing. */
      readonly position: number;
      /** Of its events, in order; their ids derive from stream, command id and place. */
      readonly types: readonly string[];
      readonly deduplicated: boolean;
    }
  /** A rule said no (`rejected`), or deciding failed for another reason. Nothing was stored. */
  | { readonly kind: 'rejected' | 'failed'; readonly error: ErrorMessage }
  /** Not known yet: it is still being decided, or the store gave no answer. Sent again, it is decided once all the same. */
  | { readonly kind: 'open'; readonly reason: 'deciding' | 'store'; readonly error: ErrorMessage };

/** How an update waits. */
export interface LaneUpdateOptions {
  /**
   * Until the outcomes are known, or for 15 seconds; else until the first batch that its commands were in, after which some
   * may be `open`. Who asks again for those is patient.
   */
  readonly isPatient?: boolean;
}

export interface ExecuteRequest {
  /** Category of a registered aggregate. */
  readonly category: string;
  readonly commands: readonly LaneCommand[];
  /**
   * Milliseconds after which the outcomes known by then are given back, and `open` for the rest, which goes on. Default: never;
   * then what keeps the store from answering is thrown.
   */
  readonly yieldAfter?: number;
  /** Milliseconds that deciding one command may take; then it has failed. Default: any. */
  readonly timeLimit?: number;
}

/** Input of `eventStoreCommandLane`. Later versions of it have a higher number. */
export interface CommandLaneInput {
  readonly version: 1;
  readonly category: string;
  /** Milliseconds without a command after which the lane completes; the next command starts it again. */
  readonly idleTimeout: number;
  /** Updates after which it continues as new. */
  readonly maxUpdates: number;
  /** Milliseconds for deciding one command, after which it has failed. */
  readonly batchTimeout: number;
}

/** What the query `eventStoreLaneStatus` answers. */
export interface CommandLaneStatus {
  /** Commands that wait for the next batch. */
  readonly pending: number;
  /** Commands that are being decided. */
  readonly inBatch: number;
  /** Commands answered since this run began. */
  readonly processed: number;
  /** Batches since this run began. */
  readonly batches: number;
  /** Whether it takes no more updates, because this run is about to end. */
  readonly isDraining: boolean;
}

export const laneWorkflowType = 'eventStoreCommandLane';
export const laneUpdateName = 'eventStoreExecuteCommands';
export const laneStatusQuery = 'eventStoreLaneStatus';

/** Type of the failure by which a lane refuses an update, because its run is about to end. Try again. */
export const laneIsDraining = 'temporal-event-store.LaneIsDraining';

/** Most commands in one update. */
export const maxCommandsPerUpdate = 500;

/** Most bytes of JSON of one command. Temporal carries payloads of 2 MiB; an encoding codec adds to them. */
export const maxCommandBytes = 1_000_000;

/** The workflow of one aggregate's lane: `event-store/commands/<task queue>/Payment/123`. */
export function aggregateLaneId(taskQueue: string, category: string, id: string): string {
  return shortened(`event-store/commands/${taskQueue}/${category}`, id);
}

/** The workflow of one of several lanes of a category: `event-store/command-lanes/<task queue>/Payment/3-of-16`. */
export function shardLaneId(taskQueue: string, category: string, id: string, lanes: number): string {
  const shard = Number.parseInt(uuidV5(id).slice(0, 8), 16) % lanes;
  return shortened(`event-store/command-lanes/${taskQueue}/${category}`, `${shard + 1}-of-${lanes}`);
}

function shortened(prefix: string, name: string): string {
  const whole = `${prefix}/${name}`;
  return shortWorkflowId(whole, () => `event-store/commands/${uuidV5(whole)}`);
}

/** A command with what the caller gave. */
export function toLaneCommand(
  id: string,
  commandId: string,
  name: string,
  payload: unknown,
  metadata: EventMetadata | undefined,
  causationId?: string,
): LaneCommand {
  return {
    id,
    commandId,
    name,
    ...(payload !== undefined && { payload: payload as JsonValue }),
    ...(metadata !== undefined && { metadata }),
    ...(causationId !== undefined && { causationId }),
  };
}

/**
 * The outcome as the caller gets it.
 *
 * @throws the error of a command that was refused
 */
export function receiptOf<Type extends string>(
  streamId: string,
  commandId: string,
  outcome: CommandOutcome,
): CommandReceipt<Type> {
  if (outcome.kind !== 'committed') throw fromErrorMessage(outcome.error);
  const { version, position, types, deduplicated } = outcome;
  const events = types.map((type, ordinal) => ({
    id: eventIdOf(streamId, commandId, ordinal),
    type: type as Type,
  }));
  return { version, position, events, deduplicated };
}
