import { integerFrom, type OptionCheck } from '../../core/options/options.js';
import type { ProjectionMode } from './projection-run.js';
import { workflowIdOf } from './workflow-id.js';

export type ProjectionAction =
  | { readonly action: 'pause' | 'resume' | 'stop' | 'cancelRebuild' | 'rollback' }
  | { readonly action: 'rebuild'; readonly maxRate?: number; readonly version?: number }
  | {
      readonly action: 'rebase';
      readonly from: RebaseFrom;
      readonly operator: string;
      readonly reason: string;
    }
  | { readonly action: 'retry'; readonly eventId: string }
  | { readonly action: 'skip'; readonly eventId: string; readonly operator: string; readonly reason: string };

/**
 * Where a projection goes on: after a position, at the first event (`beginning`), with events appended from now on
 * (`end`), or at its checkpoint in the store as it is now.
 */
export type RebaseFrom = number | 'beginning' | 'end' | 'checkpoint';

export const isRebaseFrom: OptionCheck = (value) =>
  ['beginning', 'end', 'checkpoint'].includes(value as string) || integerFrom(0)(value) === undefined
    ? undefined
    : `a position, 'beginning', 'end' or 'checkpoint'`;

/** How many milliseconds a caller waits for a projection's answer. */
export interface Patience {
  readonly within: number;
}

/** Input of `eventStoreAwaitProjection`, and of its activity. */
export interface AwaitedPosition {
  readonly name: string;
  /**
   * The lowest of the awaited positions, and `to` the highest. The activity waits for the lowest, and a moment for
   * the rest.
   */
  readonly from: number;
  readonly to: number;
  /** Milliseconds; 0 to look once. */
  readonly timeout: number;
}

/** How far a projection was when the wait ended. */
export interface ReachedPosition {
  /** Absent if it could not be read. */
  readonly position?: number;
  /** Why it could not be seen. */
  readonly waitsFor?: string;
}

/** What the description of a projection's workflow says of it, in its memo, unless it is running. */
export interface ProjectionMemo {
  readonly mode: ProjectionMode;
  readonly why?: string;
}
export const projectionMemo = 'temporal-event-store.projection';

export const projectionWorkflowType = 'eventStoreProjection';
export const awaitProjectionType = 'eventStoreAwaitProjection';
export const controlProjectionUpdate = 'eventStoreControlProjection';
export const projectionStatusUpdate = 'eventStoreReadProjectionStatus';
export const parkedEventsUpdate = 'eventStoreReadParkedEvents';
export const projectionStatusQuery = 'eventStoreProjectionStatus';

/** Type of the failure by which a projection refuses an update, because it is about to continue as new. Try again. */
export const projectionIsDraining = 'temporal-event-store.ProjectionIsDraining';

/** `event-store/projection/<task queue>/<name>`. */
export function projectionWorkflowId(taskQueue: string, name: string): string {
  return workflowIdOf('projection', taskQueue, name);
}
