import { PositionAheadOfStoreError } from '../../../core/errors/store-errors.js';
import type { BuildSpec, RebaseTarget } from '../../../core/projections/projection-sink.js';
import type { Checkpoint } from '../../../core/store/checkpoint.js';
import type { ShardLayout } from './shard-checkpoints.js';

/**
 * The checkpoints of a projection that is moved to another position. Its numbers of applied events are kept.
 *
 * @throws PositionAheadOfStoreError when the position is beyond the end of the store, so that future events would be
 *   passed over
 */
export function rebased(
  { name, shards }: BuildSpec,
  layouts: readonly ShardLayout[],
  { storeId, after, end }: RebaseTarget,
): readonly ShardLayout[] {
  const assertStored = (position: number, what: string): Checkpoint => {
    if (position <= end) return { storeId, position };
    throw new PositionAheadOfStoreError(
      `${what} ${position} of '${name}' is behind the end of the store, which is at ${end}: events to come would be passed over. ` +
        `Rebase it to a position up to that, to the 'beginning' or to the 'end'.`,
      { position, storeId, lastPosition: end },
    );
  };
  if (after === 'checkpoint') {
    return layouts.map((layout) => ({
      ...layout,
      checkpoints: layout.checkpoints.map((each) => each && assertStored(each.position, 'The checkpoint')),
    }));
  }
  const checkpoint = assertStored(after, 'The position');
  const applied = layouts.flatMap((layout) => layout.applied).reduce((sum, each) => sum + each, 0);
  return [
    { shards: shards, checkpoints: Array.from({ length: shards }, () => checkpoint), applied: [applied] },
  ];
}
