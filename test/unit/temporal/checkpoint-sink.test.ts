import fc from 'fast-check';
import { definePublisher, OwnershipLostError, type Checkpoint, type Projection } from 'temporal-event-store';
import { MemoryCheckpointStore, MemoryEventStore } from 'temporal-event-store/memory';
import { describe, expect, it } from 'vitest';
import { shardOf } from '../../../src/core/projections/shard-of.js';
import type { ReactionPort } from '../../../src/core/reactions/consequences.js';
import { CheckpointSink } from '../../../src/temporal/activities/projections/checkpoint-sink.js';
import {
  projectShard,
  type ShardOutcome,
} from '../../../src/temporal/activities/projections/project-shard.js';
import { expectTypedError } from '../../support/typed-error.js';

const streams = Array.from({ length: 9 }, (_, index) => `Payment-${index}`);

/** A publisher whose number of shards changes from deploy to deploy. */
class Deployments {
  readonly store = new MemoryEventStore();
  readonly checkpoints = new MemoryCheckpointStore();
  readonly published: string[] = [];
  /** Called with each event before it is published. */
  onPublish: (streamId: string) => void = () => undefined;
  sink = this.#newSink();
  #appended = 0;

  async append(count: number): Promise<void> {
    for (let index = 0; index < count; index++) {
      const stream = streams[this.#appended++ % streams.length] as string;
      await this.store.appendToStream(stream, [{ type: 'Paid', data: {} }]);
    }
  }

  /** As after the worker was replaced. */
  replaceWorker(): void {
    this.sink = this.#newSink();
  }

  publisher(shards: number): Projection {
    return definePublisher({
      name: 'out',
      shards,
      pageSize: 2,
      maxAttempts: 1,
      publisher: {
        publish: async (events) => {
          for (const { streamId, version } of events) {
            this.onPublish(streamId);
            this.published.push(`${streamId}@${version}`);
          }
        },
      },
    });
  }

  async run(shards: number, shard: number): Promise<ShardOutcome> {
    const projection = this.publisher(shards);
    await this.sink.open({ name: 'out', version: 1, shards: shards }, undefined);
    return projectShard({
      projection,
      store: this.store,
      sink: this.sink,
      shard: { name: 'out', build: shards, shard },
      shards: shards,
      until: 'end',
      duration: 60_000,
      signal: new AbortController().signal,
      onProgress: () => undefined,
      onDelay: () => undefined,
    });
  }

  async runAll(shards: number): Promise<void> {
    for (let shard = 0; shard < shards; shard++) {
      expect(await this.run(shards, shard)).toEqual({ kind: 'reached' });
    }
  }

  async status(shards: number): Promise<{ positions: readonly number[]; applied: number }> {
    const builds = await this.sink.open({ name: 'out', version: 1, shards: shards }, undefined);
    const { progress = [] } = builds.find(({ role }) => role === 'live') ?? {};
    return {
      positions: progress.map(({ checkpoint }) => checkpoint?.position ?? 0),
      applied: progress.reduce((sum, { applied }) => sum + applied, 0),
    };
  }

  async rebase(shards: number, after: number | 'checkpoint'): Promise<void> {
    const { storeId, events } = await this.store.readAll({ direction: 'backward', limit: 1 });
    const end = events[0]?.position ?? 0;
    await this.sink.rebase({ name: 'out', version: 1, shards: shards }, { storeId, after, end });
  }

  /** Each event of the store, in the order of its stream. */
  async expectComplete(): Promise<void> {
    const { events } = await this.store.readAll({ limit: 1_000 });
    const once = new Set(this.published);
    expect([...once].sort()).toEqual(events.map(({ streamId, version }) => `${streamId}@${version}`).sort());
    const versions = new Map<string, number>();
    for (const each of once) {
      const [stream = '', version] = each.split('@');
      expect(Number(version)).toBe((versions.get(stream) ?? 0) + 1);
      versions.set(stream, Number(version));
    }
  }

  #newSink(): CheckpointSink {
    return new CheckpointSink(this.checkpoints, {} as ReactionPort);
  }
}

describe('a publisher with another number of shards', () => {
  it.each([
    [2, 1],
    [1, 2],
    [3, 2],
    [2, 4],
    [4, 6],
  ])('publishes each event once: %i, then %i, and back', async (before, after) => {
    const out = new Deployments();
    await out.append(30);
    // Of the first deployment, one shard has not begun, and another has stopped on the way.
    for (let shard = 1; shard < before; shard++) await out.run(before, shard);
    await out.status(before);
    for (const shards of [after, before, after]) {
      out.replaceWorker();
      await out.append(5);
      await out.runAll(shards);
      await out.expectComplete();
      expect(out.published).toHaveLength(new Set(out.published).size);
      expect(await out.status(shards)).toEqual({
        positions: Array.from({ length: shards }, () => out.published.length),
        applied: out.published.length,
      });
    }
  });

  it('loses nothing and breaks no order, whoever runs or dies, and whenever', async () => {
    const run = fc.record({
      shards: fc.integer({ min: 1, max: 4 }),
      shard: fc.nat(),
      append: fc.nat({ max: 4 }),
      /** Events that go out before the worker dies; or none dies. */
      diesAfter: fc.option(fc.nat({ max: 5 }), { nil: undefined }),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(run, { maxLength: 12 }),
        fc.integer({ min: 1, max: 4 }),
        async (runs, last) => {
          const out = new Deployments();
          await out.append(12);
          let deaths = 0;
          for (const { shards, shard, append, diesAfter } of runs) {
            await out.append(append);
            let left = diesAfter ?? Infinity;
            const sink = out.sink;
            out.onPublish = () => {
              if (left-- > 0) return;
              left = Infinity;
              deaths++;
              void sink.fence('out');
              throw new OwnershipLostError({ name: 'out', build: shards, shard });
            };
            await out.run(shards, shard % shards).catch(() => undefined);
            out.replaceWorker();
          }
          out.onPublish = () => undefined;
          await out.runAll(last);
          await out.expectComplete();
          // A page of 2, once for each that died.
          expect(out.published.length - new Set(out.published).size).toBeLessThanOrEqual(2 * deaths);
        },
      ),
    );
  });

  it('passes over no event when one at which it stopped before the change is skipped after it', async () => {
    const out = new Deployments();
    await out.append(18);
    const poison = streams.findLast((stream) => shardOf(stream, 2) === 0);
    out.onPublish = (streamId) => {
      if (streamId === poison) throw new Error('poison');
    };
    // The other shard has not begun.
    const blocked = await out.run(2, 0);
    if (blocked.kind !== 'blocked') throw new Error('It has not stopped.');
    const { event } = blocked.failure;
    const checkpoint: Checkpoint = { storeId: blocked.storeId, position: event.position };

    out.replaceWorker();
    await out.sink.open({ name: 'out', version: 1, shards: 1 }, undefined);
    await out.sink.decide('out', 1, {
      action: 'skip',
      eventId: event.id,
      operator: 'Ann',
      reason: 'poison',
      blockedAt: { build: 2, shard: 0, checkpoint },
    });
    out.onPublish = () => undefined;
    await out.runAll(1);
    const all = streams.flatMap((stream) => [`${stream}@1`, `${stream}@2`]);
    expect(all.filter((each) => !out.published.includes(each))).toEqual([`${poison}@1`]);
    expect(out.published).toHaveLength(17);
  });

  it('is refused more shards than can be told apart', async () => {
    const { sink } = new Deployments();
    await expectTypedError(sink.open({ name: 'out', version: 1, shards: 2 ** 20 }, undefined), {
      code: 'INVALID_ARGUMENT',
      says: /1048576 shards/,
    });
  });
});

describe('a publisher that is rebased', () => {
  it('publishes again what is behind the position, and nothing before', async () => {
    const out = new Deployments();
    await out.append(9);
    await out.runAll(2);
    await out.rebase(2, 7);
    expect(await out.status(2)).toEqual({ positions: [7, 7], applied: 9 });
    await out.runAll(2);
    expect(out.published).toHaveLength(11);
    expect(out.published.slice(9).sort()).toEqual(['Payment-7@1', 'Payment-8@1']);
    expect(await out.status(2)).toEqual({ positions: [9, 9], applied: 11 });
  });

  it('keeps where each shard was, in another store', async () => {
    const out = new Deployments();
    await out.append(9);
    await out.run(2, 0);
    const { positions } = await out.status(2);
    await out.rebase(2, 'checkpoint');
    expect((await out.status(2)).positions).toEqual(positions);
    await out.runAll(1);
    expect(out.published).toHaveLength(9);
  });

  it('is not moved forward again by a worker of before that wakes up', async () => {
    const out = new Deployments();
    await out.append(6);
    const frozen = out.sink;
    await out.runAll(1);
    const { token } = await frozen.acquire({ name: 'out', build: 1, shard: 0 });
    out.replaceWorker();
    await out.rebase(1, 0);
    const { storeId } = await out.store.readAll();
    const late = { checkpoint: { storeId, position: 6 }, applied: 6, rate: 1 };
    await frozen.commit({ name: 'out', build: 1, shard: 0 }, token, late, async () => undefined);
    expect((await out.status(1)).positions).toEqual([0]);
    await out.runAll(1);
    expect(out.published).toHaveLength(12);
  });

  it('is refused a place that the store has not come to', async () => {
    const out = new Deployments();
    await out.append(3);
    await out.runAll(1);
    await expectTypedError(out.rebase(1, 4), {
      code: 'POSITION_AHEAD_OF_STORE',
      says: /position 4 .* is at 3/,
    });
    expect((await out.status(1)).positions).toEqual([3]);
  });

  it('ends what was left of one that was interrupted', async () => {
    const out = new Deployments();
    await out.append(9);
    await out.runAll(3);
    const save = out.checkpoints.save.bind(out.checkpoints);
    let calls = 0;
    out.checkpoints.save = async (...args) => {
      if (++calls === 4) throw new Error('lost');
      return save(...args);
    };
    await expect(out.rebase(3, 9)).rejects.toThrow('lost');
    expect((await out.status(3)).positions).toEqual([9, 9, 9]);
    out.checkpoints.save = save;
    await out.rebase(3, 2);
    expect(await out.status(3)).toEqual({ positions: [2, 2, 2], applied: 9 });
  });
});

describe('the events that a publisher has applied', () => {
  it('are shown by another worker as they were shown by the one before', async () => {
    const out = new Deployments();
    await out.append(5);
    await out.runAll(1);
    expect((await out.status(1)).applied).toBe(5);
    out.replaceWorker();
    expect((await out.status(1)).applied).toBe(5);
    await out.append(1);
    await out.runAll(1);
    expect((await out.status(1)).applied).toBe(6);
  });

  it('are written down without anybody asking', async () => {
    const out = new Deployments();
    await out.append(5);
    await out.runAll(1);
    const other = new CheckpointSink(out.checkpoints, {} as ReactionPort);
    const read = () => other.open({ name: 'out', version: 1, shards: 1 }, undefined);
    await expect.poll(read, { timeout: 5_000 }).toMatchObject([{ progress: [{ applied: 5 }] }]);
  });
});

describe('a page that never ends', () => {
  it('holds up nobody who fences it, and moves nothing when it ends after all', async () => {
    const out = new Deployments();
    await out.append(1);
    await out.sink.open({ name: 'out', version: 1, shards: 1 }, undefined);
    const key = { name: 'out', build: 1, shard: 0 };
    const { token } = await out.sink.acquire(key);
    let end = (): void => undefined;
    const hanging = new Promise<void>((resolve) => {
      end = resolve;
    });
    const late = { checkpoint: { storeId: 's', position: 1 }, applied: 1, rate: 1 };
    const commit = out.sink.commit(key, token, late, () => hanging);
    commit.catch(() => undefined);
    await out.sink.fence('out');
    await out.sink.acquire(key);
    end();
    await expect(commit).rejects.toThrow(OwnershipLostError);
    expect(await out.status(1)).toEqual({ positions: [0], applied: 0 });
  }, 20_000);
});
