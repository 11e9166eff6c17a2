import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import { CancellationScope, isCancellation, sleep, startChild, workflowInfo } from '@temporalio/workflow';
import { InvalidArgumentError } from '../../core/errors/errors.js';
import type { ProjectionBuild } from '../../core/projections/projection-sink.js';
import type { ProjectionShareInput, ProjectionShareReply } from '../shared/projection.js';
import { joinNames } from '../shared/workflow-id.js';
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
    const ended = await projectShare({ version: 1, name, build, share, ...options });
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

/**
 * A child with the id of earlier ones. Cancelled only once it has started: until then the server takes the request for
 * one to its predecessor, which has ended, and loses it.
 */
async function projectShare(input: ProjectionShareInput): Promise<ProjectionShareReply> {
  const caller = CancellationScope.current();
  return CancellationScope.nonCancellable(async () => {
    const scope = new CancellationScope();
    const child = await scope.run(() =>
      startChild(eventStoreProjectionShare, {
        workflowId: `${workflowInfo().workflowId}/${joinNames(input.build, input.share)}`,
        args: [input],
      }),
    );
    caller.cancelRequested.catch(() => {
      scope.cancel();
    });
    return child.result();
  });
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
