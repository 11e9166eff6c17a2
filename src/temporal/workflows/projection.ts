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
  setCurrentDetails,
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
  type ProjectionRun,
  type ProjectionStatus,
  type RebuildRun,
} from '../shared/projection.js';
import { typed } from '../shared/remote-store.js';
import { completeBuild, projectBuild } from './project-build.js';
import { checkAction, checkedInput } from './projection-requests.js';

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
  #run: ProjectionRun;
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
    this.#run = input.run ?? { mode: 'running' };
    const validator = (): void => {
      if (this.#isDraining)
        throw ApplicationFailure.nonRetryable(
          'The projection is about to continue as new.',
          projectionIsDraining,
        );
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
    if (this.#run.mode === 'stopped') return;
    await continueAsNew<typeof eventStoreProjection>({ ...this.#input, run: this.#run });
  }

  async #open(): Promise<void> {
    await condition(() => this.#opened !== undefined);
    if (this.#opened !== true) throw this.#opened as Error;
  }

  get #isEnding(): boolean {
    return this.#isDraining || this.#run.mode === 'stopped';
  }

  /** The live build is projected whenever it shall be. */
  async #keepLive(): Promise<void> {
    const { heartbeatTimeout } = this.#input;
    for (;;) {
      await condition(() => this.#isEnding || (this.#run.mode === 'running' && !this.#isHeld));
      if (this.#isEnding) return;
      const live = liveBuildOf(this.#builds) as ProjectionBuild;
      this.#describe();
      try {
        this.#live = new CancellationScope();
        const reply = await projectBuild(live, { heartbeatTimeout }, this.#live);
        if (reply?.kind === 'blocked') this.#set({ mode: 'blocked', blocked: reply });
        // Somebody else projects it: another workflow, or an operator by hand.
        else if (reply?.kind === 'fenced') await sleep('1 second');
      } catch (error) {
        this.#set({ mode: 'failed', lastError: messageOf(error) });
      } finally {
        this.#live = undefined;
      }
      this.#describe();
    }
  }

  async #keepRebuilding(): Promise<void> {
    for (;;) {
      await condition(() => this.#isEnding || isActive(this.#run.rebuild));
      if (this.#isEnding) return;
      this.#building = new CancellationScope();
      try {
        await this.#building.run(() => this.#rebuild());
      } catch (error) {
        if (!isCancellation(error)) this.#setRebuild({ phase: 'failed', error: messageOf(error) });
      } finally {
        this.#building = undefined;
      }
    }
  }

  async #endWhenDue(): Promise<void> {
    await condition(
      () => this.#isEnding || this.#updates >= maxUpdates || workflowInfo().continueAsNewSuggested,
    );
    if (this.#run.mode !== 'stopped') this.#isDraining = true;
    this.#live?.cancel();
    this.#building?.cancel();
  }

  /** Runs in the scope of the rebuild. */
  async #rebuild(): Promise<void> {
    const { name, heartbeatTimeout } = this.#input;
    const next = await this.#nextBuild();
    if (next === undefined) return;
    this.#setRebuild({ build: next.build });
    const { maxRate } = this.#run.rebuild ?? {};
    const limits = { heartbeatTimeout, ...(maxRate !== undefined && { maxRate }) };
    await completeBuild(next, { until: 'end', ...limits });
    this.#setRebuild({ phase: 'verifying' });
    await typed(this.#activities.eventStoreVerifyBuild({ name, build: next.build }));
    await completeBuild(next, { until: 'end', ...limits });
    this.#setRebuild({ phase: 'switching' });
    await this.#hold(async () => {
      // Readers must not see an earlier state than they have seen.
      await completeBuild(next, { until: positionOf(await this.#refreshLive()), heartbeatTimeout });
      await this.#activate(next);
    });
    this.#clearRebuild();
    // What ailed the build before is over.
    if (this.#run.mode !== 'paused') this.#resume();
  }

  /** The build that is under way, or a new one. Undefined when there is nothing to build. */
  async #nextBuild(): Promise<ProjectionBuild | undefined> {
    const { name } = this.#input;
    const begun = this.#run.rebuild?.build;
    await this.#refreshLive();
    const found = this.#builds.find(({ build }) => build === begun);
    // If it is live, it was activated, and only the news of it was lost.
    const next = found ?? (await typed(this.#activities.eventStoreBeginBuild({ name })));
    if (next.role !== 'live') return next;
    // Or the live one was emptied, for want of a sink that has room for two.
    this.#clearRebuild();
    await this.#hold(() => this.#refreshLive());
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
        this.#set({ mode: 'paused' });
        return this.#interrupt();
      case 'resume':
        this.#resume();
        return;
      case 'stop':
        this.#set({ mode: 'stopped' });
        this.#building?.cancel();
        return this.#interrupt();
      case 'rebuild':
        if (isActive(this.#run.rebuild))
          throw new InvalidArgumentError(`'${name}' is being rebuilt already.`);
        this.#run = {
          ...this.#run,
          rebuild: { phase: 'building', ...(action.maxRate !== undefined && { maxRate: action.maxRate }) },
        };
        return;
      case 'cancelRebuild':
        return this.#cancelRebuild();
      case 'rollback':
        return this.#rollBack();
      case 'retry':
      case 'skip':
        return this.#decide(action);
    }
  }

  #resume(): void {
    const { blocked: _, lastError: __, mode: ___, ...rest } = this.#run;
    this.#run = { ...rest, mode: 'running' };
  }

  async #cancelRebuild(): Promise<void> {
    const { name } = this.#input;
    const { rebuild } = this.#run;
    if (rebuild === undefined) throw new InvalidArgumentError(`'${name}' is not being rebuilt.`);
    this.#clearRebuild();
    this.#building?.cancel();
    await condition(() => this.#building === undefined);
    if (rebuild.build !== undefined)
      await typed(this.#activities.eventStoreDropBuild({ name, build: rebuild.build }));
    await this.#refreshLive();
  }

  async #rollBack(): Promise<void> {
    await this.#refreshLive();
    const previous = this.#builds.find(({ role }) => role === 'previous');
    if (previous === undefined)
      throw new InvalidArgumentError(`'${this.#input.name}' has no earlier build to roll back to.`);
    await this.#hold(() => this.#activate(previous));
    if (this.#run.mode !== 'paused') this.#resume();
  }

  async #decide(action: ProjectionAction & { readonly eventId: string }): Promise<void> {
    const { name } = this.#input;
    const { build } = await this.#refreshLive();
    const { eventId } = action;
    // Asked when it rests: the news that it has stopped may come after the operator, who has seen it in the sink.
    const blockedAt = (): BlockedShare | undefined =>
      this.#run.blocked?.event.eventId === eventId ? this.#run.blocked : undefined;
    await this.#hold(() => {
      const blocked = blockedAt();
      return typed(
        local.eventStoreDecideParked({
          name,
          build,
          eventId,
          ...(action.action === 'skip' && { skip: { operator: action.operator, reason: action.reason } }),
          ...(blocked && { blockedAt: { share: blocked.share, checkpoint: blocked.checkpoint } }),
        }),
      );
    });
    if (blockedAt() !== undefined && this.#run.mode === 'blocked') this.#resume();
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
    this.#progress = await typed(local.eventStoreProjectionProgress({ name: this.#input.name }));
    return this.#lastStatus();
  }

  #lastStatus(): ProjectionStatus {
    const progress = this.#progress ?? { builds: this.#builds, end: 0, lagSeconds: 0 };
    return statusOf(this.#input.name, this.#run, progress);
  }

  #set(change: Partial<ProjectionRun> & Pick<ProjectionRun, 'mode'>): void {
    // An operator's word stands.
    if (this.#run.mode === 'stopped' || (this.#run.mode === 'paused' && change.mode !== 'stopped')) return;
    this.#run = { ...this.#run, ...change };
    this.#describe();
  }

  /** Unless it was cancelled meanwhile. */
  #setRebuild(change: Partial<RebuildRun>): void {
    const { rebuild } = this.#run;
    if (rebuild === undefined) return;
    this.#run = { ...this.#run, rebuild: { ...rebuild, ...change } };
    this.#describe();
  }

  #clearRebuild(): void {
    const { rebuild: _, ...rest } = this.#run;
    this.#run = rest;
    this.#describe();
  }

  /** For the Temporal UI. */
  #describe(): void {
    const { mode, rebuild, blocked, lastError } = this.#run;
    const parts = [
      mode,
      blocked && `at ${blocked.event.type}, position ${blocked.event.position}: ${blocked.event.error}`,
      lastError,
      rebuild && `rebuild: ${rebuild.phase}`,
    ];
    setCurrentDetails(parts.filter((part) => part !== undefined).join(' · '));
  }
}

function isActive(rebuild: RebuildRun | undefined): boolean {
  return rebuild !== undefined && rebuild.phase !== 'failed';
}

function messageOf(error: unknown): string {
  return (findEventStoreError(error) ?? (error as Error)).message;
}
