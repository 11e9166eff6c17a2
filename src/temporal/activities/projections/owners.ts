import {
  OwnershipLostError,
  type ProjectionSink,
  type ShardKey,
} from '../../../core/projections/projection-sink.js';

interface Owner {
  readonly shard: ShardKey;
  readonly end: AbortController;
}

const owners = new WeakMap<object, Set<Owner>>();

/**
 * Runs an owner of a shard. It ends at once, with OwnershipLostError, when another owner in this process takes the
 * shard over, or when {@link endOwners} is called: Temporal would tell it only with its next heartbeat, and it would
 * hold an activity slot until then.
 *
 * @param run gets a signal that also aborts when the given one does
 */
export async function asOwner<T>(
  sink: ProjectionSink<unknown>,
  shard: ShardKey,
  signal: AbortSignal,
  run: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  endOwners(sink, shard);
  const owner: Owner = { shard, end: new AbortController() };
  const others = owners.get(sink) ?? new Set();
  owners.set(sink, others.add(owner));
  try {
    return await run(AbortSignal.any([signal, owner.end.signal]));
  } finally {
    others.delete(owner);
  }
}

/** @param shards a projection for all its shards, or one shard */
export function endOwners(
  sink: ProjectionSink<unknown>,
  { name, build, shard }: Pick<ShardKey, 'name'> & Partial<ShardKey>,
): void {
  for (const owner of owners.get(sink) ?? []) {
    const other = owner.shard;
    if (
      other.name !== name ||
      (build ?? other.build) !== other.build ||
      (shard ?? other.shard) !== other.shard
    ) {
      continue;
    }
    owner.end.abort(new OwnershipLostError(other));
  }
}
