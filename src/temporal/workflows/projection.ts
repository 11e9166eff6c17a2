import {
  allHandlersFinished,
  ApplicationFailure,
  condition,
  continueAsNew,
  defineQuery,
  defineUpdate,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import {
  controlProjectionUpdate,
  parkedEventsUpdate,
  projectionIsDraining,
  projectionStatusQuery,
  projectionStatusUpdate,
  type Patience,
  type ProjectionAction,
} from '../shared/projection-requests.js';
import type {
  ProjectionInput,
  ProjectionRun,
  ParkedEventSummary,
  ProjectionProgress,
} from '../shared/projection-run.js';
import { statusOf, type ProjectionStatus } from '../shared/projection-status.js';
import { LiveProjection, notOpened } from './live-projection.js';
import { ProjectionActions } from './projection-actions.js';
import { ProjectionRebuild } from './projection-rebuild.js';
import { checkAction, checkedInput } from './projection-requests.js';
import { ProjectionState } from './projection-state.js';
import { patience, quickly, reasonOf } from './projection-tasks.js';

const controlUpdate = defineUpdate<ProjectionStatus, [ProjectionAction, Patience | undefined]>(
  controlProjectionUpdate,
);
const statusUpdate = defineUpdate<ProjectionStatus, [Patience | undefined]>(projectionStatusUpdate);
const parkedUpdate = defineUpdate<readonly ParkedEventSummary[], [Patience | undefined]>(parkedEventsUpdate);
const statusQuery = defineQuery<ProjectionStatus>(projectionStatusQuery);

/** Most milliseconds for finding out a status. */
const longestLook = 4_000;
/** Updates after which a run continues as new. */
const maxUpdates = 500;
/** History events after which a run continues as new, whatever is under way. The server ends a run at 51,200. */
const maxHistory = 30_000;

/**
 * Runs a projection: applies events to its read model as they come, and does what operators ask for through
 * `ProjectionClient`, which also starts it. Child workflows, one for each shard, do the work by activities.
 */
export async function eventStoreProjection(input: ProjectionInput): Promise<void> {
  const supervisor = new ProjectionSupervisor(checkedInput(input));
  await supervisor.run();
}

class ProjectionSupervisor {
  readonly #input: ProjectionInput;
  readonly #state: ProjectionState;
  readonly #live: LiveProjection;
  readonly #rebuild: ProjectionRebuild;
  readonly #actions: ProjectionActions;
  #progress: ProjectionProgress | undefined;
  #isDraining = false;
  #updates = 0;

  constructor(input: ProjectionInput) {
    this.#input = input;
    this.#progress = input.run?.progress;
    this.#state = new ProjectionState(input.run);
    const isEnding = (): boolean => this.#isEnding;
    this.#live = new LiveProjection(input, this.#state, isEnding);
    this.#rebuild = new ProjectionRebuild(this.#live, input, this.#state, isEnding);
    this.#actions = new ProjectionActions(this.#live, this.#rebuild, this.#state);
    const validator = (_?: unknown): void => {
      if (this.#isDraining) {
        throw ApplicationFailure.nonRetryable(
          'The projection is about to continue as new.',
          projectionIsDraining,
        );
      }
    };
    setHandler(statusQuery, () => this.#lastStatus(this.#live.waitsFor));
    setHandler(statusUpdate, (asked) => this.#status(asked?.within), { validator });
    setHandler(
      parkedUpdate,
      async (asked) => {
        const { within = patience } = asked ?? {};
        await this.#live.assertOpenWithin(within);
        return quickly(within, (tasks) => tasks.eventStoreParkedEvents({ name: input.name }));
      },
      { validator },
    );
    setHandler(
      controlUpdate,
      async (action, asked) => {
        const { within = patience } = asked ?? {};
        await this.#actions.perform(action, within);
        return this.#status(within / 4);
      },
      {
        validator: (action: ProjectionAction, _) => {
          validator();
          checkAction(action);
        },
      },
    );
  }

  async run(): Promise<void> {
    const ending = this.#endWhenDue();
    try {
      await this.#live.open();
    } catch (error) {
      // Waiting updates get this error too.
      await condition(allHandlersFinished);
      throw error;
    }
    await Promise.all([this.#live.keep(), this.#rebuild.keep(), ending]);
    await condition(allHandlersFinished);
    if (this.#state.mode === 'stopped') return;
    await continueAsNew<typeof eventStoreProjection>({ ...this.#input, run: this.#runOfNext });
  }

  get #runOfNext(): ProjectionRun {
    return {
      ...this.#state.run,
      ...(this.#live.isKnown && { isKnown: true }),
      ...(this.#progress !== undefined && { progress: this.#progress }),
    };
  }

  get #isEnding(): boolean {
    return this.#isDraining || this.#state.mode === 'stopped';
  }

  async #endWhenDue(): Promise<void> {
    await condition(() => this.#isEnding || this.#isLongEnough);
    if (this.#state.mode !== 'stopped') this.#isDraining = true;
    else this.#actions.cancel();
    this.#live.end();
    this.#rebuild.end();
  }

  /**
   * Not while an operator's action is under way, which may take long: a draining projection would answer no update
   * until it is done.
   */
  get #isLongEnough(): boolean {
    const { historyLength, continueAsNewSuggested } = workflowInfo();
    const isDue = this.#updates >= maxUpdates || continueAsNewSuggested;
    return isDue && (!this.#actions.isActing || historyLength >= maxHistory);
  }

  async #status(within = longestLook): Promise<ProjectionStatus> {
    this.#updates++;
    if (!(await this.#live.isOpenWithin(within))) return this.#lastStatus(this.#live.waitsFor ?? notOpened);
    const { name } = this.#input;
    try {
      this.#progress = await quickly(Math.min(within, longestLook), (tasks) =>
        tasks.eventStoreProjectionProgress({ name, withUnseen: true }),
      );
    } catch (error) {
      return this.#lastStatus(reasonOf(error));
    }
    return this.#lastStatus(undefined);
  }

  /** @param waitsFor why the projection may have moved on since */
  #lastStatus(waitsFor: string | undefined): ProjectionStatus {
    const progress = this.#progress ?? { builds: this.#live.builds, end: 0, lagSeconds: 0 };
    return statusOf(this.#input.name, this.#state.run, progress, waitsFor);
  }
}
