import { isCancellation, proxyActivities, proxyLocalActivities, sleep } from '@temporalio/workflow';
import { findEventStoreError, isRetryable } from '../../core/errors/error-recognition.js';
import { StoreUnavailableError } from '../../core/errors/errors.js';
import { describeError } from '../../core/values/describe-error.js';
import type { AggregateActivities } from '../shared/activity-types.js';
import {
  defaultLaneSettings,
  type CommandOutcome,
  type LaneCommand,
  type LaneSettings,
} from '../shared/command-lane.js';
import { toErrorMessage } from '../shared/error-message.js';

/** Milliseconds after which a batch gives back what is done. What isn't goes on by itself, and holds up nobody. */
const yieldAfter = 1_000;
/** For a worker that is held up, beside what it is given. */
const reserve = 10_000;
/** Milliseconds for a worker to take a task. */
const maxWait = 15_000;
/** The activities by which a lane has its commands decided. None fails: each command has an outcome. */
export class LaneActivities {
  readonly #category: string;
  #settings = defaultLaneSettings;

  constructor(category: string) {
    this.#category = category;
  }

  /** Those of the worker, once they are loaded. */
  get settings(): LaneSettings {
    return this.#settings;
  }

  async loadSettings(): Promise<void> {
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
  executeTogether(commands: readonly LaneCommand[]): Promise<readonly CommandOutcome[]> {
    const { eventStoreExecute } = proxyLocalActivities<AggregateActivities>({
      startToCloseTimeout: yieldAfter + reserve,
      // What fails is left to the lane, which can do something else meanwhile.
      retry: { maximumAttempts: 1 },
    });
    return this.#execute(eventStoreExecute, commands, yieldAfter);
  }

  /**
   * By an activity, during which the lane goes on. It finds what an earlier batch is still deciding, if it meets its worker.
   *
   * @param givesBack whether a worker that doesn't know a command leaves it to others, or refuses it
   */
  executeApart(commands: readonly LaneCommand[], givesBack: boolean): Promise<readonly CommandOutcome[]> {
    const { batchTimeout } = this.#settings;
    const { eventStoreExecute } = proxyActivities<AggregateActivities>({
      startToCloseTimeout: batchTimeout + reserve,
      scheduleToStartTimeout: maxWait,
      retry: { maximumAttempts: 1 },
      // Eagerly, it would come back to the worker of the lane.
      allowEagerDispatch: false,
    });
    return this.#execute(eventStoreExecute, commands, batchTimeout + yieldAfter, givesBack);
  }

  /** Nothing escapes, or the workflow would hang or fail with all who wait. */
  async #execute(
    eventStoreExecute: AggregateActivities['eventStoreExecute'],
    commands: readonly LaneCommand[],
    limit: number,
    givesBack = true,
  ): Promise<readonly CommandOutcome[]> {
    for (;;) {
      try {
        return await eventStoreExecute({ category: this.#category, commands, yieldAfter: limit, givesBack });
      } catch (error) {
        if (!isCancellation(error)) return commands.map(() => toOutcome(error));
        // A worker that evicts the lane or shuts down cancels what runs. The ids of the commands tell what it had done.
        await sleep('100 milliseconds');
      }
    }
  }
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
