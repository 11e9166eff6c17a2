import { InvalidArgumentError } from '../../../core/errors/invalid-argument-error.js';
import type { RecordedEvent } from '../../../core/events/event.js';
import { shardOf } from '../../../core/projections/shard-of.js';
import type { Checkpoint, CheckpointStore } from '../../../core/store/checkpoint.js';
import { joinNames } from '../../shared/workflow-id.js';

/** More shards than this a projection without a sink can't have: see {@link ShardCheckpoints}. */
const span = 2 ** 20;

/** What is kept as a checkpoint and is none. */
const ours = 'temporal-event-store';

/** A number of shards that a projection has, or had, and how far each of them has come. */
export interface ShardLayout {
  readonly shards: number;
  readonly checkpoints: readonly (Checkpoint | undefined)[];
  /** Events applied by each. */
  readonly applied: readonly number[];
}

export interface ShardLayouts {
  /** Raised whenever a projection is moved: what somebody still writes for the one before is never read. */
  readonly epoch: number;
  readonly layouts: readonly ShardLayout[];
}

/**
 * The checkpoints of a projection without a sink, for each number of shards that it ever had. An event is done when in any
 * of them the shard of its stream has passed it: so the number may change, back too, and workers that have different numbers
 * may run side by side. Made of what any checkpoint store can do:
 *
 * - `projection/<name>`: epoch × 2²⁰ + the largest number of shards
 * - `projection/<name>/<epoch>/<shards>`: it had this number
 * - `projection/<name>/<epoch>/<shards>/<shard>`: its checkpoint; with `/applied`, the events that it has applied
 */
export class ShardCheckpoints {
  readonly #store: CheckpointStore;

  constructor(store: CheckpointStore) {
    this.#store = store;
  }

  /** Remembers that a projection has this number of shards. @returns what {@link read} does */
  async open(name: string, shards: number): Promise<ShardLayouts> {
    if (shards >= span) {
      throw new InvalidArgumentError(`The projection '${name}' has ${shards} shards, which are too many.`);
    }
    for (;;) {
      const found = await this.read(name);
      if (found.layouts.some((layout) => layout.shards === shards)) return found;
      await this.#number(joinNames('projection', name, found.epoch, shards), shards);
      // Nothing, where it had more once. Read again: somebody may have raised it too, or the epoch.
      await this.#number(joinNames('projection', name), found.epoch * span + shards);
    }
  }

  async read(name: string): Promise<ShardLayouts> {
    const { epoch, most } = await this.#record(name);
    const layouts = await Promise.all(
      upTo(most).map(async (index) => {
        const shards = index + 1;
        // The largest was written down before it became that.
        const isThere = shards === most || (await this.#has(joinNames('projection', name, epoch, shards)));
        return isThere ? [await this.#layout(name, epoch, shards)] : [];
      }),
    );
    return { epoch, layouts: layouts.flat() };
  }

  save(name: string, epoch: number, shards: number, shard: number, checkpoint: Checkpoint): Promise<void> {
    return this.#store.save(joinNames('projection', name, epoch, shards, shard), checkpoint);
  }

  saveApplied(name: string, epoch: number, shards: number, shard: number, applied: number): Promise<void> {
    return this.#number(joinNames('projection', name, epoch, shards, shard, 'applied'), applied);
  }

  /** Puts other checkpoints in the place of those that are there, all at once. */
  async replace(name: string, layouts: readonly ShardLayout[]): Promise<void> {
    const { epoch, most } = await this.#record(name);
    const next = epoch + 1;
    // What an attempt before has left behind.
    await this.#clear(name, next, most);
    for (const { shards, checkpoints, applied } of layouts) {
      await this.#number(joinNames('projection', name, next, shards), shards);
      for (const [shard, checkpoint] of checkpoints.entries()) {
        if (checkpoint !== undefined) await this.save(name, next, shards, shard, checkpoint);
        await this.saveApplied(name, next, shards, shard, applied[shard] ?? 0);
      }
    }
    await this.#number(
      joinNames('projection', name),
      next * span + Math.max(...layouts.map(({ shards }) => shards)),
    );
    await this.#clear(name, epoch, most);
  }

  async #clear(name: string, epoch: number, most: number): Promise<void> {
    for (const index of upTo(most)) {
      const marker = joinNames('projection', name, epoch, index + 1);
      if (!(await this.#has(marker))) continue;
      for (const shard of upTo(index + 1)) {
        await this.#store.delete(joinNames('projection', name, epoch, index + 1, shard));
        await this.#store.delete(joinNames('projection', name, epoch, index + 1, shard, 'applied'));
      }
      await this.#store.delete(marker);
    }
  }

  async #layout(name: string, epoch: number, shards: number): Promise<ShardLayout> {
    const names = upTo(shards).map((shard) => joinNames('projection', name, epoch, shards, shard));
    const [checkpoints, applied] = await Promise.all([
      Promise.all(names.map((each) => this.#store.load(each))),
      Promise.all(names.map(async (each) => (await this.#store.load(`${each}/applied`))?.position ?? 0)),
    ]);
    return { shards, checkpoints, applied };
  }

  async #has(marker: string): Promise<boolean> {
    return (await this.#store.load(marker)) !== undefined;
  }

  async #record(name: string): Promise<{ readonly epoch: number; readonly most: number }> {
    const { position = 0 } = (await this.#store.load(joinNames('projection', name))) ?? {};
    return { epoch: Math.floor(position / span), most: position % span };
  }

  #number(name: string, position: number): Promise<void> {
    return this.#store.save(name, { storeId: ours, position });
  }
}

/**
 * Where a shard begins: everything of its streams up to there is done. At 0 where that is nothing, but some other shard has begun: what
 * that has done counts in its store only.
 */
export function startOf(
  layouts: readonly ShardLayout[],
  shards: number,
  shard: number,
): Checkpoint | undefined {
  const own = layouts.find((each) => each.shards === shards)?.checkpoints[shard];
  const [any] = layouts.flatMap(({ checkpoints }) => checkpoints.filter((each) => each !== undefined));
  const least = own ?? (any && { storeId: any.storeId, position: 0 });
  if (least === undefined) return undefined;
  const positions = layouts.map((layout) => coveredBy(layout, least.storeId, shards, shard));
  return { storeId: least.storeId, position: Math.max(least.position, ...positions) };
}

/**
 * Whether an event behind the start of a shard was done while the projection had another number of shards. Undefined when
 * that is true of none.
 */
export function passedBefore(
  layouts: readonly ShardLayout[],
  start: Checkpoint | undefined,
): ((event: Pick<RecordedEvent, 'streamId' | 'position'>) => boolean) | undefined {
  if (start === undefined) return undefined;
  const further = layouts
    .map(({ checkpoints }) => checkpoints.map((each) => positionIn(start.storeId, each)))
    .filter((positions) => positions.some((position) => position > start.position));
  if (further.length === 0) return undefined;
  return ({ streamId, position }) =>
    further.some((positions) => position <= Number(positions[shardOf(streamId, positions.length)]));
}

/** Up to where all shards of a layout have come that may hold streams of this one. */
function coveredBy(layout: ShardLayout, storeId: string, shards: number, shard: number): number {
  const common = greatestCommonDivisor(shards, layout.shards);
  const meeting = layout.checkpoints.filter((_, index) => index % common === shard % common);
  return Math.min(...meeting.map((each) => positionIn(storeId, each)));
}

function positionIn(storeId: string, checkpoint: Checkpoint | undefined): number {
  return checkpoint?.storeId === storeId ? checkpoint.position : 0;
}

function greatestCommonDivisor(one: number, other: number): number {
  return other === 0 ? one : greatestCommonDivisor(other, one % other);
}

function upTo(count: number): readonly number[] {
  return Array.from({ length: count }, (_, index) => index);
}
