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

/** Milliseconds after which a batch gives back what is done. What isn't goes on by itself, and holds up nobody. */
const yieldAfter = 1_000;
/** For a worker that is held up, beside what it is given. */
const reserve = 10_000;
/** Milliseconds for a worker to take a task. */
const maxWait = 15_000;
/** For a worker that decides no longer than it may, to say that it is alive. */
const heartbeatReserve = 1_000;

/** What became of commands that were executed apart. */
export interface ApartReply {
  readonly outcomes: readonly CommandOutcome[];
  /** Whether the worker gave no answer any more: it is dead, or held up. */
  readonly isLost: boolean;
  /** The command that it was deciding then, where it could say so. */
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

  /** Those of the worker, once they are known. */
  get settings(): LaneSettings {
    return this.#settings ?? defaultLaneSettings;
  }

  /** For a run that may have nothing to execute for long: its first batch brings them, too. */
  async loadSettings(): Promise<void> {
    this.#isAsked = true;
    const { eventStoreLaneSettings } = proxyLocalActivities<AggregateActivities>({
      startToCloseTimeout: reserve,
      retry: { maximumAttempts: 1 },
    });
    try {
      this.#settings = await eventStoreLaneSettings();
    } catch {
      // A worker that has none, or stops: the defaults will do until the next run.
    }
  }

  /** By a local activity, which is quick; the worker gets nothing else of the lane meanwhile, so it ends soon. */
  async executeTogether(commands: readonly LaneCommand[]): Promise<readonly CommandOutcome[]> {
    const { eventStoreExecute, eventStoreExecuteFirst } = proxyLocalActivities<AggregateActivities>({
      startToCloseTimeout: yieldAfter + reserve,
      // What fails is left to the lane, which can do something else meanwhile.
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
      // What has an outcome isn't executed in a replay: here, the worker that had it kept it for 8 seconds, and has died or is held up.
      ...(workflowInfo().unsafe.isReplaying && { isRerun: true }),
    });
    return outcomes;
  }

  /**
   * By an activity, during which the lane goes on. It finds what an earlier batch is still deciding, if it meets its worker.
   *
   * @param how `givesBack`: whether a worker that doesn't know a command leaves it to others, or refuses it; `isSuspect`: whether one of
   *   them may have held a worker up
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

  /** @param heartbeatTimeout milliseconds within which a worker that is alive says so; default: it needn't */
  #apart(heartbeatTimeout?: number): AggregateActivities['eventStoreExecute'] {
    const { eventStoreExecute } = proxyActivities<AggregateActivities>({
      startToCloseTimeout: this.settings.batchTimeout + reserve,
      scheduleToStartTimeout: maxWait,
      ...(heartbeatTimeout !== undefined && { heartbeatTimeout }),
      retry: { maximumAttempts: 1 },
      // Eagerly, it would come back to the worker of the lane.
      allowEagerDispatch: false,
    });
    return eventStoreExecute;
  }

  /** Nothing escapes, or the workflow would hang or fail with all who wait. */
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
        // A worker that evicts the lane or shuts down cancels what runs. The ids of the commands tell what it had done.
        await sleep('100 milliseconds');
      }
    }
  }
}

/** Whether the worker that had begun stopped answering, and over which command. */
function findLoss(error: unknown): Pick<ApartReply, 'isLost' | 'lostOver'> {
  const { cause } = error as { readonly cause?: unknown };
  if (!(cause instanceof TimeoutFailure) || cause.timeoutType === 'SCHEDULE_TO_START') {
    return { isLost: false };
  }
  return { isLost: true, lostOver: cause.lastHeartbeatDetails as CommandReference | undefined };
}

/** What became of each command of a batch that failed as a whole: a worker that died or is held up may have stored some. */
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
