import {
  isCancellation,
  proxyActivities,
  proxyLocalActivities,
  sleep,
  TimeoutFailure,
  workflowInfo,
} from '@temporalio/workflow';
import { findEventStoreError, isRetryable } from '../../core/errors/error-recognition.js';
import { StoreUnavailableError } from '../../core/errors/store-errors.js';
import { describeError } from '../../core/values/describe-error.js';
import type { AggregateActivities } from '../shared/activity-types.js';
import {
  defaultLaneSettings,
  type CommandOutcome,
  type CommandReference,
  type ExecuteRequest,
  type LaneCommand,
  type LaneSettings,
} from '../shared/command-lane.js';
import { toErrorMessage, type ErrorMessage } from '../shared/error-message.js';

/** Milliseconds after which a batch returns the known outcomes. The other commands go on by themselves, and hold up none. */
const yieldAfter = 1_000;
/** Milliseconds that a worker which is held up gets beyond its time limit. */
const reserve = 10_000;
/** Milliseconds for a worker to take a task. */
const maxWait = 15_000;
/** Milliseconds beyond the time for one command in which a live worker must send a heartbeat. */
const heartbeatReserve = 1_000;

/** The outcomes of commands that were executed apart. */
export interface ApartReply {
  readonly outcomes: readonly CommandOutcome[];
  /** Whether the worker stopped answering: it is dead, or held up. */
  readonly isLost: boolean;
  /** The command that the worker was deciding then, if it could say so. */
  readonly lostOver?: CommandReference | undefined;
}

/** The activities by which a lane has its commands decided. None fails: each command has an outcome. */
export class LaneActivities {
  readonly #category: string;
  #settings: LaneSettings | undefined;
  #isAsked = false;

  constructor(category: string) {
    this.#category = category;
  }

  /** The worker's settings once known; the defaults until then. */
  get settings(): LaneSettings {
    return this.#settings ?? defaultLaneSettings;
  }

  /** Loads the settings for a run that may not execute a batch for long; its first batch would bring them, too. */
  async loadSettings(): Promise<void> {
    this.#isAsked = true;
    const { eventStoreLaneSettings } = proxyLocalActivities<AggregateActivities>({
      startToCloseTimeout: reserve,
      retry: { maximumAttempts: 1 },
    });
    try {
      this.#settings = await eventStoreLaneSettings();
    } catch {
      // The worker has no settings, or is stopping: the defaults will do until the next run.
    }
  }

  /** Uses a local activity, which is quick. It must end soon, since the lane handles nothing else meanwhile. */
  async executeTogether(commands: readonly LaneCommand[]): Promise<readonly CommandOutcome[]> {
    const { eventStoreExecute, eventStoreExecuteFirst } = proxyLocalActivities<AggregateActivities>({
      startToCloseTimeout: yieldAfter + reserve,
      // The lane itself retries, so that it can do something else meanwhile.
      retry: { maximumAttempts: 1 },
    });
    const executeFirst: AggregateActivities['eventStoreExecute'] = async (request) => {
      const { outcomes, settings } = await eventStoreExecuteFirst(request);
      this.#settings = settings;
      return outcomes;
    };
    const isFirst = this.#settings === undefined && !this.#isAsked;
    const { outcomes } = await this.#execute(isFirst ? executeFirst : eventStoreExecute, {
      commands,
      yieldAfter,
      givesBack: true,
      // A replay executes no activity whose result is recorded. So the worker that had this one kept it for 8
      // seconds, and has died or is held up.
      ...(workflowInfo().unsafe.isReplaying && { isRerun: true }),
    });
    return outcomes;
  }

  /**
   * Uses a regular activity, so that the lane goes on meanwhile. On the worker of an earlier batch, it joins the
   * commands still being decided there.
   *
   * @param how `givesBack`: whether a worker leaves a command that it doesn't know to others, or refuses it;
   *   `isSuspect`: whether one of the commands may have held a worker up
   */
  executeApart(
    commands: readonly LaneCommand[],
    how: { readonly givesBack: boolean; readonly isSuspect: boolean },
  ): Promise<ApartReply> {
    const { batchTimeout } = this.settings;
    const { givesBack, isSuspect } = how;
    return this.#execute(this.#apart(isSuspect ? batchTimeout + heartbeatReserve : undefined), {
      commands,
      yieldAfter: batchTimeout + yieldAfter,
      givesBack,
      ...(isSuspect && { isSuspect }),
    });
  }

  /** Refuses a command that no worker is to decide, unless it is stored already. */
  async refuse(command: LaneCommand, refusal: ErrorMessage): Promise<readonly CommandOutcome[]> {
    const { outcomes } = await this.#execute(this.#apart(), {
      commands: [command],
      yieldAfter,
      givesBack: true,
      refusal,
    });
    return outcomes;
  }

  /** @param heartbeatTimeout milliseconds between two heartbeats at most; default: none are needed */
  #apart(heartbeatTimeout?: number): AggregateActivities['eventStoreExecute'] {
    const { eventStoreExecute } = proxyActivities<AggregateActivities>({
      startToCloseTimeout: this.settings.batchTimeout + reserve,
      scheduleToStartTimeout: maxWait,
      ...(heartbeatTimeout !== undefined && { heartbeatTimeout }),
      retry: { maximumAttempts: 1 },
      // An eagerly dispatched activity would come back to the lane's worker.
      allowEagerDispatch: false,
    });
    return eventStoreExecute;
  }

  /** Never rejects: an error would make the workflow hang or fail, with all the commands that wait. */
  async #execute(
    eventStoreExecute: AggregateActivities['eventStoreExecute'],
    request: Omit<ExecuteRequest, 'category'>,
  ): Promise<ApartReply> {
    for (;;) {
      try {
        const outcomes = await eventStoreExecute({ category: this.#category, ...request });
        return { outcomes, isLost: false };
      } catch (error) {
        if (!isCancellation(error)) {
          return { outcomes: request.commands.map(() => toOutcome(error)), ...findLoss(error) };
        }
        // A worker that evicts the lane or shuts down cancels its activities. The command ids tell what was stored by then.
        await sleep('100 milliseconds');
      }
    }
  }
}

/** Finds out whether the worker stopped answering after it had begun, and over which command. */
function findLoss(error: unknown): Pick<ApartReply, 'isLost' | 'lostOver'> {
  const { cause } = error as { readonly cause?: unknown };
  if (!(cause instanceof TimeoutFailure) || cause.timeoutType === 'SCHEDULE_TO_START') {
    return { isLost: false };
  }
  return { isLost: true, lostOver: cause.lastHeartbeatDetails as CommandReference | undefined };
}

/** The outcome of each command of a batch that failed as a whole: a worker that died or is held up may have stored some. */
function toOutcome(error: unknown): CommandOutcome {
  const ours = findEventStoreError(error);
  if (ours !== undefined && !isRetryable(ours)) {
    return { kind: 'failed', error: toErrorMessage(ours) };
  }
  const { cause } = error as { readonly cause?: unknown };
  const unanswered =
    ours ?? new StoreUnavailableError(`The batch of the command failed: ${describeError(cause ?? error)}`);
  return { kind: 'open', reason: 'deciding', error: toErrorMessage(unanswered) };
}
