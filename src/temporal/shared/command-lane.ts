import type { CommandReceipt } from '../../core/aggregates/commands.js';
import { uuidV5 } from '../../core/events/event-id.js';
import type { EventMetadata } from '../../core/events/event.js';
import type { JsonValue } from '../../core/values/json.js';
import { fromErrorMessage, type ErrorMessage } from './error-message.js';
import { workflowIdOf } from './workflow-id.js';

/** A command as it travels. */
export interface LaneCommand {
  /** The aggregate's id; of a decision's command, the key that it shares with those that depend on the same events. */
  readonly id: string;
  /** Of a decision's command: the stream in which it is found again. */
  readonly home?: string;
  readonly commandId: string;
  readonly name: string;
  readonly payload?: JsonValue;
  readonly metadata?: EventMetadata;
  /** The causation id of its events. Default: the command id. */
  readonly causationId?: string;
}

/** The outcome of a command. */
export type CommandOutcome =
  | {
      readonly kind: 'committed';
      /** The stream's version after the command. */
      readonly version: number;
      /** The position of its last event, or of the stream's last event if the command changed nothing. */
      readonly position: number;
      /** The types of its events, in order. */
      readonly types: readonly string[];
      /** In the same order. The ids derive from the store's namespace, which only the worker knows. */
      readonly eventIds: readonly string[];
      readonly deduplicated: boolean;
    }
  /** A rule said no (`rejected`), or deciding failed for another reason. Nothing was stored. */
  | { readonly kind: 'rejected' | 'failed'; readonly error: ErrorMessage }
  /**
   * Not known yet. `deciding`: it is still being decided. `store`: the store gave no answer. `unknown`: the worker
   * doesn't know the aggregate, the command or an event, but one of another release may. `lost`: the worker that
   * had the command was lost. Sent again, the command still takes effect only once.
   */
  | {
      readonly kind: 'open';
      readonly reason: 'deciding' | 'store' | 'unknown' | 'lost';
      readonly error: ErrorMessage;
    };

/** A lane's answer to an update. */
export interface LaneReply {
  /** One for each command, in the order of the commands. */
  readonly outcomes: readonly CommandOutcome[];
  /** Updates under way in the lane, including this one. The server takes 10 at a time. */
  readonly updatesInFlight: number;
  /** Whether the run is about to end: an update that meets the end makes the worker replay the run. */
  readonly isEnding?: true;
}

/** How long an update waits. */
export interface LaneUpdateOptions {
  /**
   * True: until the outcomes are known, for 15 seconds at most. False: only until the first batch with its
   * commands ends; some may then be `open`, and the client asks for those again, patiently.
   */
  readonly isPatient?: boolean;
}

export interface ExecuteRequest {
  /** Category of a registered aggregate, or the name of a decision. */
  readonly category: string;
  readonly commands: readonly LaneCommand[];
  /**
   * Milliseconds after which the known outcomes are returned, and `open` for the commands still under way.
   * Default: never; a failure of the store is then thrown. Only lanes set it; their worker also limits the time of
   * each command.
   */
  readonly yieldAfter?: number;
  /**
   * Whether a command is left `open` for another worker when this one doesn't know it or its events. Default: it
   * is refused.
   */
  readonly givesBack?: boolean;
  /**
   * Set when one of the commands may have held a worker up for good. They are then decided one after the other,
   * and heartbeats name the current one as a {@link CommandReference}.
   */
  readonly isSuspect?: true;
  /** Set when a worker was lost over this very request. The commands are then left open. */
  readonly isRerun?: true;
  /** Refuses the commands with this error; those already stored are answered as stored. */
  readonly refusal?: ErrorMessage;
}

/** Identifies a command within a category. */
export interface CommandReference {
  /** The aggregate's id. */
  readonly id: string;
  readonly commandId: string;
}

/** Settings of the lanes that a worker runs. */
export interface LaneSettings {
  /** Milliseconds without a command after which a lane completes; the next command starts it again. Default 60,000. */
  readonly idleTimeout: number;
  /** Updates after which a lane continues as new. It also does so after 1,000 history events. Default 500. */
  readonly maxUpdates: number;
  /**
   * Milliseconds that deciding one command may take. A slower command fails, and nothing of it is stored. Default
   * 5,000.
   */
  readonly batchTimeout: number;
}

export const defaultLaneSettings: LaneSettings = {
  idleTimeout: 60_000,
  maxUpdates: 500,
  batchTimeout: 5_000,
};

/** Input of `eventStoreCommandLane`. A later shape of it gets a higher `version`. */
export interface CommandLaneInput {
  readonly version: 1;
  readonly category: string;
  /** Aggregates that held workers up in an earlier run. */
  readonly suspects?: readonly Suspect[];
}

/** An aggregate whose commands cost workers: these died, or are held up for good. */
export interface Suspect {
  readonly id: string;
  /** Number of workers lost, by command id. */
  readonly losses: Readonly<Record<string, number>>;
  /** Ids of the commands over which workers were lost since a command last went through. */
  readonly lostInARow: readonly string[];
  /** Time of the last loss, in milliseconds since 1970. */
  readonly lostAt: number;
}

/** The answer to the query `eventStoreLaneStatus`. */
export interface CommandLaneStatus {
  /** Commands that wait for the next batch. */
  readonly pending: number;
  /** Commands that are being decided. */
  readonly inBatch: number;
  /** Commands answered since this run began. */
  readonly processed: number;
  /** Batches since this run began. */
  readonly batches: number;
  /** Whether the lane refuses updates because this run is about to end. */
  readonly isDraining: boolean;
}

export const laneWorkflowType = 'eventStoreCommandLane';
export const laneUpdateName = 'eventStoreExecuteCommands';
export const laneStatusQuery = 'eventStoreLaneStatus';
/** Takes the ids of aggregates whose commands have waited long for an answer. */
export const laneSuspectSignal = 'eventStoreSuspectAggregates';

/** Type of the failure by which a lane refuses an update because its run is about to end. The client tries again. */
export const laneIsDraining = 'temporal-event-store.LaneIsDraining';

/** Milliseconds for finding a worker that knows a command or an aggregate. */
export const maxSearch = 10_000;

/** Type of the failure by which a worker leaves a replay to another because it doesn't know enough for it. */
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
  { id, home }: Pick<LaneCommand, 'id' | 'home'>,
  commandId: string,
  name: string,
  payload: unknown,
  metadata: EventMetadata | undefined,
  causationId?: string,
): LaneCommand {
  return {
    id,
    ...(home !== undefined && { home }),
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
