import { CancellationScope, condition, isCancellation, sleep } from '@temporalio/workflow';
import { StoreUnavailableError } from '../../core/errors/store-errors.js';
import type { ProjectionBuild } from '../../core/projections/projection-sink.js';
import type { ProjectionInput } from '../shared/projection-run.js';
import { liveBuildOf } from '../shared/projection-status.js';
import { rethrowTyped } from '../shared/remote-store.js';
import { projectBuild } from './project-build.js';
import type { ProjectionState } from './projection-state.js';
import {
  longActivity,
  messageOf,
  search,
  untilDone,
  type ProjectionTasks,
  type SearchOptions,
} from './projection-tasks.js';

/** The builds of a projection, as its sink has them, and the work on the live one. */
export class LiveProjection {
  readonly name: string;
  readonly #heartbeatTimeout: number;
  readonly #state: ProjectionState;
  readonly #isEnding: () => boolean;
  readonly #opening = new CancellationScope();
  #builds: readonly ProjectionBuild[] = [];
  #running: CancellationScope | undefined;
  /** Whether the live build rests. */
  #isHeld = false;
  /** `true` once it is open, the error if it can't be opened; undefined before. */
  #opened: true | Error | undefined;
  /** Whether a worker has ever known the projection. */
  #isKnown: boolean;
  /** Why it could not be opened so far. */
  #waitsFor: string | undefined;

  /** @param isEnding whether this run of the workflow is to end: to continue as new, or because the projection is stopped */
  constructor(
    { name, heartbeatTimeout, run }: ProjectionInput,
    state: ProjectionState,
    isEnding: () => boolean,
  ) {
    this.name = name;
    this.#heartbeatTimeout = heartbeatTimeout;
    this.#state = state;
    this.#isEnding = isEnding;
    this.#isKnown = run?.isKnown ?? false;
  }

  /** The builds as last read. */
  get builds(): readonly ProjectionBuild[] {
    return this.#builds;
  }

  get isKnown(): boolean {
    return this.#isKnown;
  }

  get waitsFor(): string | undefined {
    return this.#waitsFor;
  }

  /** Returns when the projection is open, or the run ends. @throws when it can never be opened */
  async open(): Promise<void> {
    try {
      await this.#opening.run(() => this.refresh());
      this.#opened = true;
    } catch (error) {
      if (this.#isEnding() && isCancellation(error)) return;
      this.#opened = error as Error;
      throw error;
    }
  }

  /** @returns whether it is open within `limit` milliseconds @throws when it can never be opened */
  async isOpenWithin(limit: number): Promise<boolean> {
    if (this.#opened === undefined) {
      await condition(() => this.#opened !== undefined || this.#isEnding(), limit);
    }
    if (this.#opened instanceof Error) throw this.#opened;
    return this.#opened === true;
  }

  /** @throws StoreUnavailableError when it takes longer than `limit` milliseconds */
  async assertOpenWithin(limit: number): Promise<void> {
    if (await this.isOpenWithin(limit)) return;
    throw new StoreUnavailableError(
      `The projection '${this.name}' could not be opened yet. ${this.#waitsFor ?? notOpened}`,
    );
  }

  /** Projects the live build whenever it should be running, until the run ends. */
  async keep(): Promise<void> {
    for (;;) {
      await condition(() => this.#isEnding() || (this.#state.mode === 'running' && !this.#isHeld));
      if (this.#isEnding()) return;
      const live = liveBuildOf(this.#builds) as ProjectionBuild;
      try {
        this.#running = new CancellationScope();
        const reply = await projectBuild(live, { heartbeatTimeout: this.#heartbeatTimeout }, this.#running);
        if (reply?.kind === 'blocked') this.#state.set({ mode: 'blocked', blocked: reply });
        // Another owner projects it: another workflow, or an operator by hand.
        else if (reply?.kind === 'fenced') await sleep('1 second');
        else if (reply?.kind === 'outdated') await this.refresh();
      } catch (error) {
        this.#state.set({ mode: 'failed', lastError: messageOf(error) });
      } finally {
        this.#running = undefined;
      }
    }
  }

  end(): void {
    this.#opening.cancel();
    this.#running?.cancel();
  }

  /** Runs a function while the live build rests. */
  async hold(run: () => Promise<unknown>): Promise<void> {
    await condition(() => !this.#isHeld);
    this.#isHeld = true;
    try {
      await this.interrupt();
      await run();
    } finally {
      this.#isHeld = false;
    }
  }

  /** Stops the live build's owners. When it returns, nothing is being written. @param limit milliseconds; default: none */
  async interrupt(limit?: number): Promise<void> {
    this.#running?.cancel();
    await condition(() => this.#running === undefined);
    const { name } = this;
    await rethrowTyped(
      untilDone(longActivity(this.#heartbeatTimeout, limit), (tasks) =>
        tasks.eventStoreFenceProjection({ name }),
      ),
    );
  }

  /** Retries a task for as long as it takes. */
  do<T>(call: (tasks: ProjectionTasks) => Promise<T>): Promise<T> {
    return rethrowTyped(untilDone(longActivity(this.#heartbeatTimeout), call));
  }

  /** Reads the builds. @returns the live one */
  async refresh(): Promise<ProjectionBuild> {
    const { name } = this;
    // A projection once known is waited for: its deploy is completed or taken back in the end.
    this.#builds = await search(this.searching(!this.#isKnown), (tasks) =>
      tasks.eventStoreOpenProjection({ name }),
    );
    this.#isKnown = true;
    this.#waitsFor = undefined;
    return liveBuildOf(this.#builds) as ProjectionBuild;
  }

  /** @param refuses whether to refuse when no worker knows the projection */
  searching(refuses: boolean): SearchOptions {
    const onWait = (why: string): void => {
      this.#waitsFor = why;
    };
    return { heartbeatTimeout: this.#heartbeatTimeout, refuses, onWait };
  }

  /** Makes a build the live one. */
  async activate({ build }: ProjectionBuild): Promise<void> {
    const { name } = this;
    // Not cancellable: once begun, its result must be known.
    await CancellationScope.nonCancellable(async () => {
      await this.do((tasks) => tasks.eventStoreActivateBuild({ name, build }));
      await this.refresh();
    });
  }
}

/** The reason given until a more precise one is known. */
export const notOpened = 'It is being opened: no answer of its store, or of a worker that knows it, so far.';
