import type { CommandReceipt } from '../../core/aggregates/commands.js';
import { uuidV5 } from '../../core/events/event-id.js';
import type { EventMetadata } from '../../core/events/event.js';
import type { JsonValue } from '../../core/values/json.js';
import { fromErrorMessage, type ErrorMessage } from './error-message.js';
import { workflowIdOf } from './workflow-id.js';

/** A command as it travels. */
export interface LaneCommand {
  /** The aggregate's id. */
  readonly id: string;
  readonly commandId: string;
  readonly name: string;
  readonly payload?: JsonValue;
  readonly metadata?: EventMetadata;
  /** The causation id of its events. Default: the command id. */
  readonly causationId?: string;
}

/** What became of a command. */
export type CommandOutcome =
  | {
      readonly kind: 'committed';
      /** The stream's version after the command. */
      readonly version: number;
      /** The position of its last event; when it changed nothing, of the stream's last event. */
      readonly position: number;
      /** The types of its events, in order. */
      readonly types: readonly string[];
      /** In the same order. They derive from the store's namespace, which only the worker knows. */
      readonly eventIds: readonly string[];
      readonly deduplicated: boolean;
    }
  /** A rule said no (`rejected`), or deciding failed for another reason. Nothing was stored. */
  | { readonly kind: 'rejected' | 'failed'; readonly error: ErrorMessage }
  /**
   * Not known yet: it is still being decided, the store gave no answer, or the worker doesn't know the aggregate, the command or
   * an event of it, which one of another release may; or another worker had got it, and was lost (`lost`). Sent again, it is decided
   * once all the same.
   */
  | {
      readonly kind: 'open';
      readonly reason: 'deciding' | 'store' | 'unknown' | 'lost';
      readonly error: ErrorMessage;
    };

/** What a lane answers. */
export interface LaneReply {
  /** One for each command, in the order of the commands. */
  readonly outcomes: readonly CommandOutcome[];
  /** Updates that the lane had, with this one. The server takes 10 at a time. */
  readonly updatesInFlight: number;
  /** Whether the run is about to end: an update that meets the end makes the worker replay the run. */
  readonly isEnding?: true;
}

/** How an update waits. */
export interface LaneUpdateOptions {
  /**
   * Until the outcomes are known, or for 15 seconds; else until the first batch that its commands were in, after which some
   * may be `open`. A client that asks again for those is patient.
   */
  readonly isPatient?: boolean;
}

export interface ExecuteRequest {
  /** Category of a registered aggregate. */
  readonly category: string;
  readonly commands: readonly LaneCommand[];
  /**
   * Milliseconds after which the outcomes known by then are given back, and `open` for the rest, which goes on. Default: never;
   * then what keeps the store from answering is thrown. It comes from a lane, whose worker limits the time of a command.
   */
  readonly yieldAfter?: number;
  /**
   * Whether a command that the worker doesn't know, or whose events it doesn't, is `open`, so that another worker gets it.
   * Default: it is refused.
   */
  readonly givesBack?: boolean;
  /**
   * Whether one of them may have held a worker up for good. Then they are decided one after the other, and the activity's
   * heartbeats name the one, as a {@link CommandReference}.
   */
  readonly isSuspect?: true;
  /** Whether another worker has had this very request and was lost over it. Then the commands are left open. */
  readonly isRerun?: true;
  /** What the commands are refused with; those that are stored are answered as stored. */
  readonly refusal?: ErrorMessage;
}

/** Which command of a category. */
export interface CommandReference {
  /** The aggregate's id. */
  readonly id: string;
  readonly commandId: string;
}

/** How the lanes of a worker run. */
export interface LaneSettings {
  /** Milliseconds without a command after which a lane completes; the next command starts it again. Default 60,000. */
  readonly idleTimeout: number;
  /** Updates after which it continues as new, which it also does after 1,000 events of its history. Default 500. */
  readonly maxUpdates: number;
  /** Milliseconds that deciding one command may take; then it has failed, and nothing of it is stored. Default 5,000. */
  readonly batchTimeout: number;
}

export const defaultLaneSettings: LaneSettings = {
  idleTimeout: 60_000,
  maxUpdates: 500,
  batchTimeout: 5_000,
};

/** Input of `eventStoreCommandLane`. Later versions of it have a higher number. */
export interface CommandLaneInput {
  readonly version: 1;
  readonly category: string;
  /** What an earlier run knew of aggregates that hold workers up. */
  readonly suspects?: readonly Suspect[];
}

/** An aggregate over whose commands workers were lost: held up for good, or dead. */
export interface Suspect {
  readonly id: string;
  /** Workers lost, by command id. */
  readonly losses: Readonly<Record<string, number>>;
  /** Commands over which workers were lost since one went through. */
  readonly lostInARow: readonly string[];
  /** Milliseconds since 1970, of the last loss. */
  readonly lostAt: number;
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
/** Takes the ids of aggregates whose commands have got no answer for long. */
export const laneSuspectSignal = 'eventStoreSuspectAggregates';

/** Type of the failure by which a lane refuses an update, because its run is about to end. Try again. */
export const laneIsDraining = 'temporal-event-store.LaneIsDraining';

/** Milliseconds in which a worker that knows a command, or an aggregate, has to come forward. */
export const maxSearch = 10_000;

/** Type of the failure by which a worker gives back a replay that it doesn't know enough for. Another may. */
export const unknownHereType = 'temporal-event-store.UnknownHere';

/** Most commands in one update. */
export const maxCommandsPerUpdate = 500;

/** Most bytes of JSON of one command. Temporal carries payloads of 2 MiB; an encoding codec adds to them. */
export const maxCommandBytes = 1_000_000;

/** The workflow of one aggregate's lane: `event-store/commands/<task queue>/Payment/123`. */
export function aggregateLaneId(taskQueue: string, category: string, id: string): string {
  return workflowIdOf('commands', taskQueue, category, id);
}

/** The workflow of one of several lanes of a category: `event-store/command-lanes/<task queue>/Payment/3-of-16`. */
export function shardLaneId(taskQueue: string, category: string, id: string, lanes: number): string {
  const shard = Number.parseInt(uuidV5(id).slice(0, 8), 16) % lanes;
  return workflowIdOf('command-lanes', taskQueue, category, `${shard + 1}-of-${lanes}`);
}

/** The lane that some of the processes use, when too many use one: `event-store/overflow-3/commands/…`. */
export function overflowLaneId(laneId: string, number: number): string {
  return number === 0 ? laneId : laneId.replace('event-store/', `event-store/overflow-${number}/`);
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
export function receiptOf<Type extends string>(outcome: CommandOutcome): CommandReceipt<Type> {
  if (outcome.kind !== 'committed') throw fromErrorMessage(outcome.error);
  const { version, position, types, eventIds, deduplicated } = outcome;
  const events = types.map((type, ordinal) => ({ id: eventIds[ordinal] as string, type: type as Type }));
  return { version, position, events, deduplicated };
}
