import { setCurrentDetails, upsertMemo, workflowInfo } from '@temporalio/workflow';
import { projectionMemo, type ProjectionMemo } from '../shared/projection-requests.js';
import type { ProjectionRun, RebuildRun } from '../shared/projection-run.js';

/** Most characters of an error in the memo. */
const maxWhy = 500;

/**
 * The state of a projection, and which changes of it are allowed. The memo has it, for Temporal's UI and for
 * clients that describe the workflow.
 */
export class ProjectionState {
  #run: ProjectionRun = { mode: 'running' };
  /** The memo as the server has it. */
  #memo = (workflowInfo().memo?.[projectionMemo] ?? { mode: 'running' }) as ProjectionMemo;

  constructor(run: ProjectionRun | undefined) {
    this.#change(run ?? this.#run);
  }

  /** The state for the next run. */
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
    // An operator's decision stands.
    if (this.mode === 'stopped' || (this.mode === 'paused' && change.mode !== 'stopped')) return;
    this.#change({ ...this.#run, ...change });
  }

  /** Runs again, and forgets the earlier failure or stop. */
  resume(): void {
    const { blocked: _, lastError: __, mode: ___, ...rest } = this.#run;
    this.#change({ ...rest, mode: 'running' });
  }

  /** Resumes, unless an operator has paused it. */
  resumeUnlessPaused(): void {
    if (this.mode !== 'paused') this.resume();
  }

  beginRebuild(wanted: Pick<RebuildRun, 'maxRate' | 'version'>): void {
    this.#change({ ...this.#run, rebuild: { phase: 'building', ...wanted } });
  }

  /** Changes the rebuild, unless it was cancelled meanwhile. */
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
    this.#remember();
  }

  /** Writes the memo for clients that wait: describing a workflow costs nothing, and needs no worker. */
  #remember(): void {
    const { mode, blocked, lastError } = this.#run;
    const why =
      blocked === undefined
        ? lastError
        : `${blocked.event.type} of '${blocked.event.streamId}': ${blocked.event.error}`;
    const memo: ProjectionMemo = { mode, ...(why !== undefined && { why: why.slice(0, maxWhy) }) };
    if (memo.mode === this.#memo.mode && memo.why === this.#memo.why) return;
    this.#memo = memo;
    upsertMemo({ [projectionMemo]: memo });
  }
}
