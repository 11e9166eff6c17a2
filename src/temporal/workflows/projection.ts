import {
  type ActivityInterfaceFor,
  allHandlersFinished,
  ApplicationFailure,
  CancellationScope,
  condition,
  continueAsNew,
  defineQuery,
  defineUpdate,
  isCancellation,
  proxyActivities,
  proxyLocalActivities,
  setHandler,
  sleep,
  workflowInfo,
} from '@temporalio/workflow';
import { findEventStoreError } from '../../core/errors/error-recognition.js';
import { InvalidArgumentError } from '../../core/errors/errors.js';
import type { ProjectionBuild } from '../../core/projections/projection-sink.js';
import type { ProjectionActivities } from '../shared/activity-types.js';
import {
  controlProjectionUpdate,
  liveBuildOf,
  parkedEventsUpdate,
  positionOf,
  projectionIsDraining,
  projectionStatusQuery,
  projectionStatusUpdate,
  statusOf,
  type BlockedShare,
  type ParkedEventSummary,
  type ProjectionAction,
  type ProjectionInput,
  type ProjectionProgress,
  type ProjectionStatus,
  type RebaseFrom,
} from '../shared/projection.js';
import { typed } from '../shared/remote-store.js';
import { completeBuild, projectBuild } from './project-build.js';
import { checkAction, checkedInput } from './projection-requests.js';
import { ProjectionState } from './projection-state.js';

const controlUpdate = defineUpdate<ProjectionStatus, [ProjectionAction]>(controlProjectionUpdate);
const statusUpdate = defineUpdate<ProjectionStatus>(projectionStatusUpdate);
const parkedUpdate = defineUpdate<readonly ParkedEventSummary[]>(parkedEventsUpdate);
const statusQuery = defineQuery<ProjectionStatus>(projectionStatusQuery);

// An operator waits for these.
const local = proxyLocalActivities<ProjectionActivities>({
  startToCloseTimeout: '5 seconds',
  scheduleToCloseTimeout: '20 seconds',
  retry: { initialInterval: '100 milliseconds', maximumInterval: '2 seconds' },
});
/** Updates after which a run continues as new. */
const maxUpdates = 500;

/**
 * Keeps a projection: applies events to its read model as they come, and does what an operator asks for by
 * `ProjectionClient`, which also starts it. The work is done by child workflows, one for each share, and their activities.
 */
export async function eventStoreProjection(input: ProjectionInput): Promise<void> {
  const supervisor = new ProjectionSupervisor(checkedInput(input));
  await supervisor.run();
}

class ProjectionSupervisor {
  readonly #input: ProjectionInput;
  readonly #activities: ActivityInterfaceFor<ProjectionActivities>;
  readonly #state: ProjectionState;
  #builds: readonly ProjectionBuild[] = [];
  #progress: ProjectionProgress | undefined;
  #live: CancellationScope | undefined;
  #building: CancellationScope | undefined;
  /** While it is set, the live build rests. */
  #isHeld = false;
  /** Whether it could be opened; the error, when not. */
  #opened: true | Error | undefined;
  #isDraining = false;
  #updates = 0;
  /** Actions of operators take turns. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(input: ProjectionInput) {
    this.#input = input;
    this.#activities = proxyActivities<ProjectionActivities>({
      startToCloseTimeout: '30 minutes',
      // Or a worker that dies in one would hold up the projection that long.
      heartbeatTimeout: input.heartbeatTimeout,
      retry: { initialInterval: '200 milliseconds', maximumInterval: '10 seconds' },
    });
    this.#state = new ProjectionState(input.run);
    const validator = (): void => {
      if (this.#isDraining) {
        throw ApplicationFailure.nonRetryable(
          'The projection is about to continue as new.',
          projectionIsDraining,
        );
      }
    };
    setHandler(statusQuery, () => this.#lastStatus());
    setHandler(statusUpdate, () => this.#status(), { validator });
    setHandler(
      parkedUpdate,
      async () => {
        await this.#open();
        return typed(local.eventStoreParkedEvents({ name: input.name }));
      },
      { validator },
    );
    setHandler(
      controlUpdate,
      async (action) => {
        await this.#open();
        const turn = this.#turn.then(() => this.#act(action));
        this.#turn = turn.catch(() => undefined);
        await turn;
        return this.#status();
      },
      {
        validator: (action: ProjectionAction) => {
          validator();
          checkAction(action);
        },
      },
    );
  }

  async run(): Promise<void> {
    try {
      await this.#refreshLive();
      this.#opened = true;
    } catch (error) {
      this.#opened = error as Error;
      // Whoever waits learns it too.
      await condition(allHandlersFinished);
      throw error;
    }
    await Promise.all([this.#keepLive(), this.#keepRebuilding(), this.#endWhenDue()]);
    await condition(allHandlersFinished);
    if (this.#state.mode === 'stopped') return;
    await continueAsNew<typeof eventStoreProjection>({ ...this.#input, run: this.#state.run });
  }

  async #open(): Promise<void> {
    await condition(() => this.#opened !== undefined);
    if (this.#opened !== true) throw this.#opened as Error;
  }

  get #isEnding(): boolean {
    return this.#isDraining || this.#state.mode === 'stopped';
  }

  /** The live build is projected whenever it shall be. */
  async #keepLive(): Promise<void> {
    const { heartbeatTimeout } = this.#input;
    for (;;) {
      await condition(() => this.#isEnding || (this.#state.mode === 'running' && !this.#isHeld));
      if (this.#isEnding) return;
      const live = liveBuildOf(this.#builds) as ProjectionBuild;
      try {
        this.#live = new CancellationScope();
        const reply = await projectBuild(live, { heartbeatTimeout }, this.#live);
        if (reply?.kind === 'blocked') this.#state.set({ mode: 'blocked', blocked: reply });
        // Somebody else projects it: another workflow, or an operator by hand.
        else if (reply?.kind === 'fenced') await sleep('1 second');
        else if (reply?.kind === 'outdated') await this.#refreshLive();
      } catch (error) {
        this.#state.set({ mode: 'failed', lastError: messageOf(error) });
      } finally {
        this.#live = undefined;
      }
    }
  }

  async #keepRebuilding(): Promise<void> {
    for (;;) {
      await condition(() => this.#isEnding || this.#state.isRebuilding);
      if (this.#isEnding) return;
      this.#building = new CancellationScope();
      try {
        await this.#building.run(() => this.#rebuild());
      } catch (error) {
        if (!isCancellation(error)) this.#state.setRebuild({ phase: 'failed', error: messageOf(error) });
      } finally {
        this.#building = undefined;
      }
    }
  }

  async #endWhenDue(): Promise<void> {
    await condition(
      () => this.#isEnding || this.#updates >= maxUpdates || workflowInfo().continueAsNewSuggested,
    );
    if (this.#state.mode !== 'stopped') this.#isDraining = true;
    this.#live?.cancel();
    this.#building?.cancel();
  }

  /** Runs in the scope of the rebuild. */
  async #rebuild(): Promise<void> {
    const { name, heartbeatTimeout } = this.#input;
    const next = await this.#nextBuild();
    if (next === undefined) return;
    this.#state.setRebuild({ build: next.build });
    const { maxRate } = this.#state.rebuild ?? {};
    const limits = { heartbeatTimeout, ...(maxRate !== undefined && { maxRate }) };
    await completeBuild(next, { until: 'end', ...limits });
    this.#state.setRebuild({ phase: 'verifying' });
    await typed(this.#activities.eventStoreVerifyBuild({ name, build: next.build }));
    await completeBuild(next, { until: 'end', ...limits });
    this.#state.setRebuild({ phase: 'switching' });
    await this.#hold(async () => {
      // Readers must not see an earlier state than they have seen.
      await completeBuild(next, { until: positionOf(await this.#refreshLive()), heartbeatTimeout });
      await this.#activate(next);
    });
    this.#state.clearRebuild();
    if (this.#state.mode !== 'paused') this.#state.resume();
  }

  /** The build that is under way, or a new one. Undefined when there is nothing to build. */
  async #nextBuild(): Promise<ProjectionBuild | undefined> {
    const { name } = this.#input;
    const begun = this.#state.rebuild?.build;
    await this.#refreshLive();
    const found = this.#builds.find(({ build }) => build === begun);
    // If it is live, it was activated, and only the news of it was lost.
    const next = found ?? (await typed(this.#activities.eventStoreBeginBuild({ name })));
    if (next.role !== 'live') return next;
    // Or the live one was emptied, for want of a sink that has room for two.
    this.#state.clearRebuild();
    await this.#hold(() => this.#refreshLive());
    if (this.#state.mode !== 'paused') this.#state.resume();
    return undefined;
  }

  async #activate({ build }: ProjectionBuild): Promise<void> {
    const { name } = this.#input;
    // Begun, it must be known how it ended.
    await CancellationScope.nonCancellable(async () => {
      await typed(this.#activities.eventStoreActivateBuild({ name, build }));
      await this.#refreshLive();
    });
  }

  async #act(action: ProjectionAction): Promise<void> {
    const { name } = this.#input;
    switch (action.action) {
      case 'pause':
        this.#state.set({ mode: 'paused' });
        return this.#interrupt();
      case 'resume':
        // It may have failed because the store has another id.
        if (this.#state.mode === 'failed') {
          await this.#hold(() => typed(this.#activities.eventStoreAdoptStore({ name })));
        }
        this.#state.resume();
        return;
      case 'stop':
        this.#state.set({ mode: 'stopped' });
        this.#building?.cancel();
        return this.#interrupt();
      case 'rebuild':
        if (this.#state.isRebuilding) throw new InvalidArgumentError(`'${name}' is being rebuilt already.`);
        this.#state.beginRebuild(action.maxRate);
        return;
      case 'cancelRebuild':
        return this.#cancelRebuild();
      case 'rollback':
        return this.#rollBack();
      case 'rebase':
        return this.#rebase(action.from);
      case 'retry':
      case 'skip':
        return this.#decide(action);
    }
  }

  async #cancelRebuild(): Promise<void> {
    const { name } = this.#input;
    const { rebuild } = this.#state;
    if (rebuild === undefined) throw new InvalidArgumentError(`'${name}' is not being rebuilt.`);
    this.#state.clearRebuild();
    this.#building?.cancel();
    await condition(() => this.#building === undefined);
    if (rebuild.build !== undefined) {
      await typed(this.#activities.eventStoreDropBuild({ name, build: rebuild.build }));
    }
    await this.#refreshLive();
  }

  async #rollBack(): Promise<void> {
    await this.#refreshLive();
    const previous = this.#builds.find(({ role }) => role === 'previous');
    if (previous === undefined) {
      throw new InvalidArgumentError(`'${this.#input.name}' has no earlier build to roll back to.`);
    }
    await this.#hold(() => this.#activate(previous));
    if (this.#state.mode !== 'paused') this.#state.resume();
  }

  async #rebase(from: RebaseFrom): Promise<void> {
    const { name } = this.#input;
    if (this.#state.isRebuilding) {
      throw new InvalidArgumentError(`'${name}' is being rebuilt; wait, or cancelRebuild.`);
    }
    await this.#hold(async () => {
      await typed(this.#activities.eventStoreRebaseProjection({ name, from }));
      await this.#refreshLive();
    });
    if (this.#state.mode !== 'paused') this.#state.resume();
  }

  async #decide(action: ProjectionAction & { readonly eventId: string }): Promise<void> {
    const { name } = this.#input;
    const { build } = await this.#refreshLive();
    const { eventId } = action;
    // Asked when it rests: the news that it has stopped may come after the operator, who has seen it in the sink.
    const blockedAt = (): BlockedShare | undefined =>
      this.#state.run.blocked?.event.eventId === eventId ? this.#state.run.blocked : undefined;
    await this.#hold(() => {
      const blocked = blockedAt();
      return typed(
        local.eventStoreDecideParked({
          name,
          build,
          eventId,
          ...(action.action === 'skip' && { skip: { operator: action.operator, reason: action.reason } }),
          ...(blocked && { blockedAt: blockedAtOf(blocked) }),
        }),
      );
    });
    if (blockedAt() !== undefined && this.#state.mode === 'blocked') this.#state.resume();
  }

  /** Does something while the live build rests. */
  async #hold(run: () => Promise<unknown>): Promise<void> {
    await condition(() => !this.#isHeld);
    this.#isHeld = true;
    try {
      await this.#interrupt();
      await run();
    } finally {
      this.#isHeld = false;
    }
  }

  /** From its return on, nothing is written. */
  async #interrupt(): Promise<void> {
    this.#live?.cancel();
    await condition(() => this.#live === undefined);
    await typed(this.#activities.eventStoreFenceProjection({ name: this.#input.name }));
  }

  async #refreshLive(): Promise<ProjectionBuild> {
    this.#builds = await typed(this.#activities.eventStoreOpenProjection({ name: this.#input.name }));
    return liveBuildOf(this.#builds) as ProjectionBuild;
  }

  async #status(): Promise<ProjectionStatus> {
    await this.#open();
    this.#updates++;
    this.#progress = await typed(
      local.eventStoreProjectionProgress({ name: this.#input.name, withUnseen: true }),
    );
    return this.#lastStatus();
  }

  #lastStatus(): ProjectionStatus {
    const progress = this.#progress ?? { builds: this.#builds, end: 0, lagSeconds: 0 };
    return statusOf(this.#input.name, this.#state.run, progress);
  }
}

function blockedAtOf({ build, share, checkpoint }: BlockedShare): Omit<BlockedShare, 'event'> {
  return { ...(build !== undefined && { build }), share, checkpoint };
}

function messageOf(error: unknown): string {
  return (findEventStoreError(error) ?? (error as Error)).message;
}
