import { setCurrentDetails } from '@temporalio/workflow';
import type { ProjectionRun, RebuildRun } from '../shared/projection.js';

/** What a projection is about, and which news of it count. The Temporal UI shows it. */
export class ProjectionState {
  #run: ProjectionRun = { mode: 'running' };

  constructor(run: ProjectionRun | undefined) {
    this.#change(run ?? this.#run);
  }

  /** For the run that follows. */
  get run(): ProjectionRun {
    return this.#run;
  }

  get mode(): ProjectionRun['mode'] {
    return this.#run.mode;
  }

  get rebuild(): RebuildRun | undefined {
    return this.#run.rebuild;
  }

  get isRebuilding(): boolean {
    return this.rebuild !== undefined && this.rebuild.phase !== 'failed';
  }

  set(change: Partial<ProjectionRun> & Pick<ProjectionRun, 'mode'>): void {
    // An operator's word stands.
    if (this.mode === 'stopped' || (this.mode === 'paused' && change.mode !== 'stopped')) return;
    this.#change({ ...this.#run, ...change });
  }

  /** What ailed it before is over. */
  resume(): void {
    const { blocked: _, lastError: __, mode: ___, ...rest } = this.#run;
    this.#change({ ...rest, mode: 'running' });
  }

  beginRebuild(maxRate: number | undefined): void {
    this.#change({
      ...this.#run,
      rebuild: { phase: 'building', ...(maxRate !== undefined && { maxRate }) },
    });
  }

  /** Unless it was cancelled meanwhile. */
  setRebuild(change: Partial<RebuildRun>): void {
    if (this.rebuild !== undefined) this.#change({ ...this.#run, rebuild: { ...this.rebuild, ...change } });
  }

  clearRebuild(): void {
    const { rebuild: _, ...rest } = this.#run;
    this.#change(rest);
  }

  #change(run: ProjectionRun): void {
    this.#run = run;
    const { mode, rebuild, blocked, lastError } = run;
    const parts = [
      mode,
      blocked && `at ${blocked.event.type}, position ${blocked.event.position}: ${blocked.event.error}`,
      lastError,
      rebuild && `rebuild: ${rebuild.phase}`,
    ];
    setCurrentDetails(parts.filter((part) => part !== undefined).join(' · '));
  }
}
