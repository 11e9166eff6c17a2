import { CancellationScope, executeChild, isCancellation, sleep, workflowInfo } from '@temporalio/workflow';
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import { InvalidArgumentError } from '../../core/errors/errors.js';
import type { ProjectionBuild } from '../../core/projections/projection-sink.js';
import type { ProjectionShareReply } from '../shared/projection.js';
import { eventStoreProjectionShare } from './projection-share.js';

export interface ProjectBuildOptions {
  /** Milliseconds. */
  readonly heartbeatTimeout: number;
  /** Default: for ever. */
  readonly until?: number | 'end';
  /** Events a second. */
  readonly maxRate?: number;
}

/**
 * Projects all shares of a build, until one ends for a reason, or they are interrupted.
 *
 * @returns why; undefined when they were interrupted
 */
export async function projectBuild(
  { name, build, shares }: ProjectionBuild,
  options: ProjectBuildOptions,
  scope = new CancellationScope(),
): Promise<ProjectionShareReply | undefined> {
  let reply: ProjectionShareReply | undefined;
  const project = async (share: number): Promise<void> => {
    const ended = await executeChild(eventStoreProjectionShare, {
      workflowId: `${workflowInfo().workflowId}/${build}/${share}`,
      args: [{ version: 1, name, build, share, ...options }],
    });
    if (reply === undefined || reply.kind === 'reached') reply = ended;
    if (ended.kind !== 'reached') scope.cancel();
  };
  try {
    await scope.run(() => Promise.all(Array.from({ length: shares }, (_, share) => project(share))));
  } catch (error) {
    // Of a run of this workflow that was ended from outside: its children follow it.
    if (error instanceof WorkflowExecutionAlreadyStartedError) return { kind: 'fenced' };
    if (!isCancellation(error)) throw error;
  }
  return reply;
}

/** Projects a build until it is where it shall be. */
export async function completeBuild(
  next: ProjectionBuild,
  options: ProjectBuildOptions & { readonly until: number | 'end' },
): Promise<void> {
  for (;;) {
    const reply = await projectBuild(next, options);
    if (reply?.kind === 'reached') return;
    if (reply?.kind === 'blocked') {
      const { type, position, streamId, error } = reply.event;
      throw new InvalidArgumentError(
        `The event ${type} at position ${position}, of the stream '${streamId}', can't be applied: ${error}`,
      );
    }
    // What was done to the live build has fenced this one too. Throws when the rebuild is cancelled.
    await sleep('100 milliseconds');
  }
}
