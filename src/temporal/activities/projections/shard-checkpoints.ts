import { InvalidArgumentError } from '../../../core/errors/invalid-argument-error.js';
import type { RecordedEvent } from '../../../core/events/event.js';
import { shardOf } from '../../../core/projections/shard-of.js';
import type { Checkpoint, CheckpointStore } from '../../../core/store/checkpoint.js';
import { joinNames } from '../../shared/workflow-id.js';

/** A projection without a sink has fewer shards than this: see {@link ShardCheckpoints}. */
const span = 2 ** 20;

/** Store id of a number that is kept in the form of a checkpoint. */
const ours = 'temporal-event-store';

/** A number of shards that a projection has or had, and how far each shard has come. */
export interface ShardLayout {
  readonly shards: number;
  readonly checkpoints: readonly (Checkpoint | undefined)[];
  /** Events applied by each shard. */
  readonly applied: readonly number[];
}

export interface ShardLayouts {
  /** Raised whenever a projection is moved: late writes for an earlier epoch are never read. */
  readonly epoch: number;
  readonly layouts: readonly ShardLayout[];
}

/**
 * The checkpoints of a projection without a sink, for each number of shards that it ever had. An event is done once
 * the shard of its stream has passed it in any of them: so the number may change and change back, and workers with
 * different numbers may run side by side. It needs only what any checkpoint store can do:
 *
 * - `projection/<name>`: epoch × 2²⁰ + the largest number of shards
 * - `projection/<name>/<epoch>/<shards>`: marks that it had this number
 * - `projection/<name>/<epoch>/<shards>/<shard>`: the shard's checkpoint; with `/applied`, its number of applied events
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
      // No effect if it once had more. Read again: another worker may have raised the number, too, or the epoch.
      await this.#number(joinNames('projection', name), found.epoch * span + shards);
    }
  }

  async read(name: string): Promise<ShardLayouts> {
    const { epoch, most } = await this.#record(name);
    const layouts = await Promise.all(
      upTo(most).map(async (index) => {
        const shards = index + 1;
        // The largest number was marked before it was raised.
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

  /** Replaces all checkpoints at once. */
  async replace(name: string, layouts: readonly ShardLayout[]): Promise<void> {
    const { epoch, most } = await this.#record(name);
    const next = epoch + 1;
    // Clears what an earlier attempt has left behind.
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
 * Where a shard begins: all events of its streams up to there are done. If none are but another shard has begun, it
 * begins at 0 of that shard's store: work done counts only in its own store.
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

/** Tells whether an event after the start of a shard was done under another number of shards. Undefined if none was. */
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

/** The position that all shards of a layout with streams of this one have passed. */
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
