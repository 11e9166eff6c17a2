import {
  allHandlersFinished,
  ApplicationFailure,
  CancellationScope,
  condition,
  continueAsNew,
  defineQuery,
  defineUpdate,
  isCancellation,
  setHandler,
  sleep,
  workflowInfo,
} from '@temporalio/workflow';
import { findEventStoreError } from '../../core/errors/error-recognition.js';
import { InvalidArgumentError, StoreUnavailableError } from '../../core/errors/errors.js';
import type { ProjectionBuild } from '../../core/projections/projection-sink.js';
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
  type Patience,
  type ProjectionAction,
  type ProjectionInput,
  type ProjectionProgress,
  type ProjectionRun,
  type ProjectionStatus,
  type RebaseFrom,
} from '../shared/projection.js';
import { typed } from '../shared/remote-store.js';
import { completeBuild, projectBuild } from './project-build.js';
import { checkAction, checkedInput } from './projection-requests.js';
import { ProjectionState } from './projection-state.js';
import {
  quickly,
  longActivity,
  reasonOf,
  search,
  untilDone,
  type ProjectionTasks,
  type SearchOptions,
} from './projection-tasks.js';

const controlUpdate = defineUpdate<ProjectionStatus, [ProjectionAction, Patience | undefined]>(
  controlProjectionUpdate,
);
const statusUpdate = defineUpdate<ProjectionStatus, [Patience | undefined]>(projectionStatusUpdate);
const parkedUpdate = defineUpdate<readonly ParkedEventSummary[], [Patience | undefined]>(parkedEventsUpdate);
const statusQuery = defineQuery<ProjectionStatus>(projectionStatusQuery);

/** Milliseconds that an operator waits who doesn't say. */
const patience = 20_000;
/** Workers that are asked for a newer version than the live one, before that is built again. */
const triesForNewer = 24;
/** Milliseconds that a look for a status takes at most. */
const longestLook = 4_000;
/** Updates after which a run continues as new. */
const maxUpdates = 500;
/** Events of a run after which it continues as new, whatever is under way. The server ends one of 51,200. */
const maxHistory = 30_000;

/**
 * Keeps a projection: applies events to its read model as they come, and does what an operator asks for by
 * `ProjectionClient`, which also starts it. The work is done by child workflows, one for each share, and their activities.
 */
export async function eventStoreProjection(input: ProjectionInput): Promise<void> {
  const supervisor = new ProjectionSupervisor(checkedInput(input));
  await supervisor.run();
}

type ActionInTurn = Exclude<ProjectionAction, { readonly action: 'pause' | 'stop' }>;

class ProjectionSupervisor {
  readonly #input: ProjectionInput;
  readonly #opening = new CancellationScope();
  readonly #state: ProjectionState;
  #builds: readonly ProjectionBuild[] = [];
  #progress: ProjectionProgress | undefined;
  #live: CancellationScope | undefined;
  #building: CancellationScope | undefined;
  /** While it is set, the live build rests. */
  #isHeld = false;
  /** Whether it could be opened; the error, when not. */
  #opened: true | Error | undefined;
  /** Whether a worker has ever known it. */
  #isKnown: boolean;
  /** Why it could not be opened so far. */
  #waitsFor: string | undefined;
  #isDraining = false;
  #updates = 0;
  /** What an operator's action that is under way may be cancelled by. */
  #acting: CancellationScope | undefined;
  /** Actions of operators take turns. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(input: ProjectionInput) {
    this.#input = input;
    this.#isKnown = input.run?.isKnown ?? false;
    this.#progress = input.run?.progress;
    this.#state = new ProjectionState(input.run);
    const validator = (_?: unknown): void => {
      if (this.#isDraining) {
        throw ApplicationFailure.nonRetryable(
          'The projection is about to continue as new.',
          projectionIsDraining,
        );
      }
    };
    setHandler(statusQuery, () => this.#lastStatus(this.#waitsFor));
    setHandler(statusUpdate, (asked) => this.#status(asked?.within), { validator });
    setHandler(
      parkedUpdate,
      async (asked) => {
        const { within = patience } = asked ?? {};
        await this.#open(within);
        return quickly(within, (tasks) => tasks.eventStoreParkedEvents({ name: input.name }));
      },
      { validator },
    );
    setHandler(controlUpdate, (action, asked) => this.#control(action, asked?.within ?? patience), {
      validator: (action: ProjectionAction, _) => {
        validator();
        checkAction(action);
      },
    });
  }

  async run(): Promise<void> {
    const ending = this.#endWhenDue();
    try {
      await this.#opening.run(() => this.#refreshLive());
      this.#opened = true;
    } catch (error) {
      if (!this.#isEnding || !isCancellation(error)) {
        this.#opened = error as Error;
        // Whoever waits learns it too.
        await condition(allHandlersFinished);
        throw error;
      }
    }
    await Promise.all([this.#keepLive(), this.#keepRebuilding(), ending]);
    await condition(allHandlersFinished);
    if (this.#state.mode === 'stopped') return;
    await continueAsNew<typeof eventStoreProjection>({ ...this.#input, run: this.#runOfNext });
  }

  get #runOfNext(): ProjectionRun {
    return {
      ...this.#state.run,
      ...(this.#isKnown && { isKnown: true }),
      ...(this.#progress !== undefined && { progress: this.#progress }),
    };
  }

  /** @returns whether it could be opened in that many milliseconds @throws when it can't ever */
  async #isOpenWithin(limit: number): Promise<boolean> {
    if (this.#opened === undefined) {
      await condition(() => this.#opened !== undefined || this.#isEnding, limit);
    }
    if (this.#opened instanceof Error) throw this.#opened;
    return this.#opened === true;
  }

  /** @throws StoreUnavailableError when it takes longer than that many milliseconds */
  async #open(limit: number): Promise<void> {
    if (await this.#isOpenWithin(limit)) return;
    throw new StoreUnavailableError(
      `The projection '${this.#input.name}' could not be opened yet. ${this.#waitsFor ?? notOpened}`,
    );
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
    await condition(() => this.#isEnding || this.#isLongEnough);
    if (this.#state.mode !== 'stopped') this.#isDraining = true;
    // It may wait for a store that never comes back.
    else this.#acting?.cancel();
    this.#opening.cancel();
    this.#live?.cancel();
    this.#building?.cancel();
  }

  /** Not while an operator's action may wait for long: until it is done, a draining projection would answer nobody. */
  get #isLongEnough(): boolean {
    const { historyLength, continueAsNewSuggested } = workflowInfo();
    const isDue = this.#updates >= maxUpdates || continueAsNewSuggested;
    return isDue && (this.#acting === undefined || historyLength >= maxHistory);
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
    await this.#do((tasks) => tasks.eventStoreVerifyBuild({ name, build: next.build }));
    await completeBuild(next, { until: 'end', ...limits });
    this.#state.setRebuild({ phase: 'switching' });
    await this.#hold(async () => {
      // Readers must not see an earlier state than they have seen.
      await completeBuild(next, { until: positionOf(await this.#refreshLive()), heartbeatTimeout });
      await this.#activate(next);
    });
    this.#state.clearRebuild();
    this.#state.resumeUnlessPaused();
  }

  /** The build that is under way, or a new one. Undefined when there is nothing to build. */
  async #nextBuild(): Promise<ProjectionBuild | undefined> {
    const { name } = this.#input;
    const begun = this.#state.rebuild?.build;
    await this.#refreshLive();
    const found = this.#builds.find(({ build }) => build === begun);
    const begin = (): Promise<ProjectionBuild> => {
      const { version } = this.#state.rebuild ?? {};
      const wanted = { name, ...(version !== undefined && { version }) };
      return search(this.#searching(true), (tasks, tries) =>
        tasks.eventStoreBeginBuild({ ...wanted, settles: tries >= triesForNewer }),
      );
    };
    // If it is live, it was activated, and only the news of it was lost.
    const next = found ?? (await begin());
    if (next.role !== 'live') return next;
    // Or the live one was emptied, for want of a sink that has room for two.
    this.#state.clearRebuild();
    await this.#hold(() => this.#refreshLive());
    this.#state.resumeUnlessPaused();
    return undefined;
  }

  async #activate({ build }: ProjectionBuild): Promise<void> {
    const { name } = this.#input;
    // Begun, it must be known how it ended.
    await CancellationScope.nonCancellable(async () => {
      await this.#do((tasks) => tasks.eventStoreActivateBuild({ name, build }));
      await this.#refreshLive();
    });
  }

  async #control(action: ProjectionAction, within: number): Promise<ProjectionStatus> {
    if (action.action === 'pause' || action.action === 'stop') {
      // Out of turn: what is under way may wait for a store that can't be reached.
      await this.#rest(action.action, within);
    } else {
      await this.#open(within);
      const turn = this.#turn.then(() => this.#actUnlessStopped(action));
      this.#turn = turn.catch(() => undefined);
      await turn;
    }
    return this.#status(within / 4);
  }

  /** From its return on nothing is applied. @throws StoreUnavailableError when that isn't sure */
  async #rest(action: 'pause' | 'stop', within: number): Promise<void> {
    const mode = action === 'pause' ? 'paused' : 'stopped';
    this.#state.set({ mode });
    try {
      await this.#interrupt(within);
    } catch (error) {
      throw new StoreUnavailableError(
        `The projection '${this.#input.name}' is ${mode}, and begins nothing more. But its sink can't be reached, so a worker that can ` +
          `may still write what it had begun. ${mode === 'paused' ? 'Pause it again to be sure. ' : ''}${reasonOf(error)}`,
        { cause: error },
      );
    }
  }

  /** @throws InvalidArgumentError as soon as the projection is stopped */
  async #actUnlessStopped(action: ActionInTurn): Promise<void> {
    const isStopped = (): boolean => this.#state.mode === 'stopped';
    const stopped = `The projection '${this.#input.name}' was stopped meanwhile.`;
    if (isStopped()) throw new InvalidArgumentError(stopped);
    this.#acting = new CancellationScope();
    try {
      await this.#acting.run(() => this.#act(action));
    } catch (error) {
      throw isStopped() && isCancellation(error) ? new InvalidArgumentError(stopped) : error;
    } finally {
      this.#acting = undefined;
    }
  }

  async #act(action: ActionInTurn): Promise<void> {
    const { name } = this.#input;
    switch (action.action) {
      case 'resume':
        // It may have failed because the store has another id.
        if (this.#state.mode === 'failed') {
          await this.#hold(() => this.#do((tasks) => tasks.eventStoreAdoptStore({ name })));
        }
        this.#state.resume();
        return;
      case 'rebuild':
        if (this.#state.isRebuilding) throw new InvalidArgumentError(`'${name}' is being rebuilt already.`);
        this.#state.beginRebuild({
          ...(action.maxRate !== undefined && { maxRate: action.maxRate }),
          ...(action.version !== undefined && { version: action.version }),
        });
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
    const { build } = rebuild;
    if (build !== undefined) await this.#do((tasks) => tasks.eventStoreDropBuild({ name, build }));
    await this.#refreshLive();
  }

  async #rollBack(): Promise<void> {
    await this.#refreshLive();
    const previous = this.#builds.find(({ role }) => role === 'previous');
    if (previous === undefined) {
      throw new InvalidArgumentError(`'${this.#input.name}' has no earlier build to roll back to.`);
    }
    await this.#hold(() => this.#activate(previous));
    this.#state.resumeUnlessPaused();
  }

  async #rebase(from: RebaseFrom): Promise<void> {
    const { name } = this.#input;
    if (this.#state.isRebuilding) {
      throw new InvalidArgumentError(`'${name}' is being rebuilt; wait, or cancelRebuild.`);
    }
    await this.#hold(async () => {
      await this.#do((tasks) => tasks.eventStoreRebaseProjection({ name, from }));
      await this.#refreshLive();
    });
    this.#state.resumeUnlessPaused();
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
      const decision = {
        name,
        build,
        eventId,
        ...(action.action === 'skip' && { skip: { operator: action.operator, reason: action.reason } }),
        ...(blocked && { blockedAt: blockedAtOf(blocked) }),
      };
      return quickly(patience, (tasks) => tasks.eventStoreDecideParked(decision));
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

  /** From its return on, nothing is written. @param limit milliseconds; default: for as long as it takes */
  async #interrupt(limit?: number): Promise<void> {
    this.#live?.cancel();
    await condition(() => this.#live === undefined);
    const { name, heartbeatTimeout } = this.#input;
    await typed(
      untilDone(longActivity(heartbeatTimeout, limit), (tasks) => tasks.eventStoreFenceProjection({ name })),
    );
  }

  /** For as long as it takes. */
  #do<T>(call: (tasks: ProjectionTasks) => Promise<T>): Promise<T> {
    return typed(untilDone(longActivity(this.#input.heartbeatTimeout), call));
  }

  async #refreshLive(): Promise<ProjectionBuild> {
    const { name } = this.#input;
    // Known once, it is waited for: a deploy goes on, or is taken back.
    this.#builds = await search(this.#searching(!this.#isKnown), (tasks) =>
      tasks.eventStoreOpenProjection({ name }),
    );
    this.#isKnown = true;
    this.#waitsFor = undefined;
    return liveBuildOf(this.#builds) as ProjectionBuild;
  }

  #searching(refuses: boolean): SearchOptions {
    const onWait = (why: string): void => {
      this.#waitsFor = why;
    };
    return { heartbeatTimeout: this.#input.heartbeatTimeout, refuses, onWait };
  }

  async #status(within = longestLook): Promise<ProjectionStatus> {
    this.#updates++;
    if (!(await this.#isOpenWithin(within))) return this.#lastStatus(this.#waitsFor ?? notOpened);
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

  /** @param waitsFor why it may have moved on since */
  #lastStatus(waitsFor: string | undefined): ProjectionStatus {
    const progress = this.#progress ?? { builds: this.#builds, end: 0, lagSeconds: 0 };
    return statusOf(this.#input.name, this.#state.run, progress, waitsFor);
  }
}

/** Before anything is known of why. */
const notOpened = 'It is being opened.';

function blockedAtOf({ build, share, checkpoint }: BlockedShare): Omit<BlockedShare, 'event'> {
  return { ...(build !== undefined && { build }), share, checkpoint };
}

function messageOf(error: unknown): string {
  return (findEventStoreError(error) ?? (error as Error)).message;
}
