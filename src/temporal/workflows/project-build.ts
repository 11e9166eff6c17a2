import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import { CancellationScope, isCancellation, sleep, startChild, workflowInfo } from '@temporalio/workflow';
import { InvalidArgumentError } from '../../core/errors/invalid-argument-error.js';
import type { ProjectionBuild } from '../../core/projections/projection-sink.js';
import type { ProjectionShardInput, ProjectionShardReply } from '../shared/projection-run.js';
import { joinNames } from '../shared/workflow-id.js';
import { eventStoreProjectionShard } from './projection-shard.js';

export interface ProjectBuildOptions {
  /** Milliseconds. */
  readonly heartbeatTimeout: number;
  /** Default: for ever. */
  readonly until?: number | 'end';
  /** Events a second. */
  readonly maxRate?: number;
}

/**
 * Projects all shards of a build, until one of them stops, all have reached their end, or they are interrupted.
 *
 * @returns why they ended; undefined when they were interrupted
 */
export async function projectBuild(
  { name, build, shards }: ProjectionBuild,
  options: ProjectBuildOptions,
  scope = new CancellationScope(),
): Promise<ProjectionShardReply | undefined> {
  let reply: ProjectionShardReply | undefined;
  const project = async (shard: number): Promise<void> => {
    const ended = await projectShard({ version: 1, name, build, shard, ...options });
    if (reply === undefined || reply.kind === 'reached') reply = ended;
    if (ended.kind !== 'reached') scope.cancel();
  };
  try {
    await scope.run(() => Promise.all(Array.from({ length: shards }, (_, shard) => project(shard))));
  } catch (error) {
    // An earlier run of this workflow was terminated, and its children are about to end.
    if (error instanceof WorkflowExecutionAlreadyStartedError) return { kind: 'fenced' };
    if (!isCancellation(error)) throw error;
  }
  return reply;
}

/**
 * Runs a shard as a child, with the same id as earlier ones. It is cancelled only once it has started: before, the
 * server would take the request as meant for the predecessor, which has ended, and lose it.
 */
async function projectShard(input: ProjectionShardInput): Promise<ProjectionShardReply> {
  const caller = CancellationScope.current();
  return CancellationScope.nonCancellable(async () => {
    const scope = new CancellationScope();
    const child = await scope.run(() =>
      startChild(eventStoreProjectionShard, {
        workflowId: `${workflowInfo().workflowId}/${joinNames(input.build, input.shard)}`,
        args: [input],
      }),
    );
    caller.cancelRequested.catch(() => {
      scope.cancel();
    });
    return child.result();
  });
}

/** Projects a build until it has reached `until`. */
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
    // Work on the live build has fenced this one too. The sleep throws when the rebuild is cancelled.
    await sleep('100 milliseconds');
  }
}
