import { CancellationScope, condition, isCancellation } from '@temporalio/workflow';
import { RebuildNotUnderWayError } from '../../core/errors/projection-errors.js';
import type { ProjectionBuild } from '../../core/projections/projection-sink.js';
import type { ProjectionInput } from '../shared/projection-run.js';
import { positionOf } from '../shared/projection-status.js';
import type { LiveProjection } from './live-projection.js';
import { completeBuild } from './project-build.js';
import type { ProjectionState } from './projection-state.js';
import { messageOf, search } from './projection-tasks.js';

/** Workers that are asked for a newer version before the live one is built again. */
const triesForNewer = 24;

/** Builds a version beside the live one when an operator asks for it, then makes it live. */
export class ProjectionRebuild {
  readonly #live: LiveProjection;
  readonly #state: ProjectionState;
  readonly #isEnding: () => boolean;
  readonly #heartbeatTimeout: number;
  #running: CancellationScope | undefined;

  /** @param isEnding whether this run of the workflow is to end: to continue as new, or because the projection is stopped */
  constructor(
    live: LiveProjection,
    { heartbeatTimeout }: ProjectionInput,
    state: ProjectionState,
    isEnding: () => boolean,
  ) {
    this.#live = live;
    this.#state = state;
    this.#isEnding = isEnding;
    this.#heartbeatTimeout = heartbeatTimeout;
  }

  /** Runs every rebuild that is asked for, until the run ends. */
  async keep(): Promise<void> {
    for (;;) {
      await condition(() => this.#isEnding() || this.#state.isRebuilding);
      if (this.#isEnding()) return;
      this.#running = new CancellationScope();
      try {
        await this.#running.run(() => this.#rebuild());
      } catch (error) {
        if (!isCancellation(error)) this.#state.setRebuild({ phase: 'failed', error: messageOf(error) });
      } finally {
        this.#running = undefined;
      }
    }
  }

  end(): void {
    this.#running?.cancel();
  }

  /** Gives the rebuild up, and drops its build. */
  async cancel(): Promise<void> {
    const { name } = this.#live;
    const { rebuild } = this.#state;
    if (rebuild === undefined) {
      throw new RebuildNotUnderWayError(`'${name}' is not being rebuilt.`, { projection: name });
    }
    this.#state.clearRebuild();
    this.#running?.cancel();
    await condition(() => this.#running === undefined);
    const { build } = rebuild;
    if (build !== undefined) await this.#live.do((tasks) => tasks.eventStoreDropBuild({ name, build }));
    await this.#live.refresh();
  }

  async #rebuild(): Promise<void> {
    const live = this.#live;
    const { name } = live;
    const heartbeatTimeout = this.#heartbeatTimeout;
    const next = await this.#nextBuild();
    if (next === undefined) return;
    this.#state.setRebuild({ build: next.build });
    const { maxRate } = this.#state.rebuild ?? {};
    const limits = { heartbeatTimeout, ...(maxRate !== undefined && { maxRate }) };
    await completeBuild(next, { until: 'end', ...limits });
    this.#state.setRebuild({ phase: 'verifying' });
    await live.do((tasks) => tasks.eventStoreVerifyBuild({ name, build: next.build }));
    await completeBuild(next, { until: 'end', ...limits });
    this.#state.setRebuild({ phase: 'switching' });
    await live.hold(async () => {
      // Readers must never see an earlier state than before.
      await completeBuild(next, { until: positionOf(await live.refresh()), heartbeatTimeout });
      await live.activate(next);
    });
    this.#state.clearRebuild();
    this.#state.resumeUnlessPaused();
  }

  /** The build that is under way, or a new one. Undefined when there is nothing to build. */
  async #nextBuild(): Promise<ProjectionBuild | undefined> {
    const live = this.#live;
    const { name } = live;
    const begun = this.#state.rebuild?.build;
    await live.refresh();
    const found = live.builds.find(({ build }) => build === begun);
    const begin = (): Promise<ProjectionBuild> => {
      const { version } = this.#state.rebuild ?? {};
      const wanted = { name, ...(version !== undefined && { version }) };
      return search(live.searching(true), (tasks, tries) =>
        tasks.eventStoreBeginBuild({ ...wanted, settles: tries >= triesForNewer }),
      );
    };
    // If the build is live, it was activated, and only the reply was lost.
    const next = found ?? (await begin());
    if (next.role !== 'live') return next;
    // It was activated; or the live build was emptied, because the sink has room for only one.
    this.#state.clearRebuild();
    await live.hold(() => live.refresh());
    this.#state.resumeUnlessPaused();
    return undefined;
  }
}
