import { CancellationScope, condition, isCancellation } from '@temporalio/workflow';
import { RebuildNotUnderWayError } from '../../core/errors/projection-errors.js';
import type { ProjectionBuild } from '../../core/projections/projection-sink.js';
import type { ProjectionInput } from '../shared/projection-run.js';
import { positionOf } from '../shared/projection-status.js';
import type { LiveProjection } from './live-projection.js';
import { completeBuild } from './project-build.js';
import type { ProjectionState } from './projection-state.js';
import { messageOf, search } from './projection-tasks.js';

/** Workers that are asked for a newer version than the live one, before that is built again. */
const triesForNewer = 24;

/** Builds a version beside the live one, whenever an operator wants it, and has it take its place. */
export class ProjectionRebuild {
  readonly #live: LiveProjection;
  readonly #state: ProjectionState;
  readonly #isEnding: () => boolean;
  readonly #heartbeatTimeout: number;
  #running: CancellationScope | undefined;

  /** @param isEnding whether this run of the workflow is to end, by itself or for good */
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

  /** Until the run ends. */
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

  /** Gives it up, and drops what was built. */
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
      // Readers must not see an earlier state than they have seen.
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
    // If it is live, it was activated, and only the news of it was lost.
    const next = found ?? (await begin());
    if (next.role !== 'live') return next;
    // Or the live one was emptied, for want of a sink that has room for two.
    this.#state.clearRebuild();
    await live.hold(() => live.refresh());
    this.#state.resumeUnlessPaused();
    return undefined;
  }
}
