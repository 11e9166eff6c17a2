import { InvalidArgumentError } from '../../../core/errors/invalid-argument-error.js';
import {
  OwnershipLostError,
  type BuildHook,
  type BuildSpec,
  type EventFailure,
  type ParkDecision,
  type ParkedEvent,
  type ProjectionBuild,
  type ProjectionSink,
  type RebaseTarget,
  type ShardKey,
  type ShardOwnership,
  type ShardProgress,
  type SinkTransaction,
} from '../../../core/projections/projection-sink.js';
import type { ReactionPort } from '../../../core/reactions/consequences.js';
import type { CheckpointStore } from '../../../core/store/checkpoint.js';
import { withTimeLimit } from '../../../core/values/time-limit.js';
import { joinNames } from '../../shared/workflow-id.js';
import { rebased } from './rebased-layouts.js';
import { passedBefore, ShardCheckpoints, startOf, type ShardLayouts } from './shard-checkpoints.js';

/** A shard that was taken over in this process. */
interface OwnedShard {
  readonly key: ShardKey;
  readonly epoch: number;
  token: number;
  applied: number;
  /** How many of them are saved. */
  appliedSaved: number;
  rate: number;
  saving?: ReturnType<typeof setTimeout>;
}

/** Milliseconds between two saves of the number of applied events: with each page, it would cost as much as the checkpoint. */
const appliedInterval = 1_000;

/** Milliseconds that a fence waits for the handler under way, which may never end. */
const longestTurn = 5_000;

/**
 * The sink for handlers that write elsewhere: to a broker, an index, a service. It keeps only checkpoints, each saved
 * after the handlers are done, so that an event may come again after a crash. Owners in one process take turns; an
 * owner in another process learns of a takeover only by its heartbeat. A build's number is its number of shards.
 */
export class CheckpointSink implements ProjectionSink<ReactionPort> {
  readonly guarantee = 'at-least-once';
  readonly #checkpoints: ShardCheckpoints;
  readonly #context: ReactionPort;
  readonly #owned = new Map<string, OwnedShard>();
  readonly #blocking = new Map<string, ParkedEvent>();
  /** The page under way of each shard; a takeover or a fence waits for it. */
  readonly #turns = new Map<string, Promise<unknown>>();
  #lastToken = 0;

  /** @param context passed to the handlers; reactions act through it */
  constructor(checkpoints: CheckpointStore, context: ReactionPort) {
    this.#checkpoints = new ShardCheckpoints(checkpoints);
    this.#context = context;
  }

  async open(spec: BuildSpec, init: BuildHook<ReactionPort>): Promise<readonly ProjectionBuild[]> {
    await this.#saveApplied(spec.name);
    const found = await this.#checkpoints.open(spec.name, spec.shards);
    const { layouts } = found;
    if (layouts.every(({ checkpoints }) => checkpoints.every((each) => each === undefined))) {
      await init?.(this.#context);
    }
    return layouts.map(({ shards }) => this.#build(spec, found, shards));
  }

  /** There is no room for a second build: the live one is reset, and filled again. */
  async begin(
    spec: BuildSpec,
    { init, reset }: { readonly init: BuildHook<ReactionPort>; readonly reset: BuildHook<ReactionPort> },
  ): Promise<ProjectionBuild> {
    if (reset === undefined) {
      throw new InvalidArgumentError(
        `The projection '${spec.name}' has neither a sink to build beside the live read model, nor a 'reset' to clear it away. ` +
          `What it has done stays done: to go on from somewhere else, rebase it.`,
      );
    }
    await this.fence(spec.name);
    await reset(this.#context);
    await this.#checkpoints.replace(spec.name, [{ shards: spec.shards, checkpoints: [], applied: [] }]);
    await init?.(this.#context);
    return this.#build(spec, await this.#checkpoints.open(spec.name, spec.shards), spec.shards);
  }

  acquire(key: ShardKey): Promise<ShardOwnership> {
    const id = idOf(key);
    return this.#inTurn(id, async () => {
      const before = this.#owned.get(id);
      const token = ++this.#lastToken;
      if (before !== undefined) before.token = token;
      await this.#saveApplied(key.name);
      const { epoch, layouts } = await this.#checkpoints.read(key.name);
      const applied = layouts.find(({ shards }) => shards === key.build)?.applied[key.shard] ?? 0;
      const rate = before?.rate ?? 0;
      this.#owned.set(id, { key, epoch, token, applied, appliedSaved: applied, rate });
      const checkpoint = startOf(layouts, key.build, key.shard);
      const isPassed = passedBefore(layouts, checkpoint);
      const blocking = this.#blockingOf(key.name).map(({ event }) => event.id);
      const parked = { streams: [], retrying: [], skipped: [], blocking };
      return {
        ...(checkpoint !== undefined && { checkpoint }),
        ...(isPassed !== undefined && { isPassed }),
        applied,
        rate,
        token,
        parked,
      };
    });
  }

  async fence(name: string): Promise<void> {
    const owned = [...this.#owned].filter(([, { key }]) => key.name === name);
    await Promise.all(
      owned.map(([id, shard]) => {
        const done = this.#inTurn(id, async () => undefined);
        // A later result of the handler moves no checkpoint, so the next owner need not wait for it.
        return withTimeLimit(longestTurn, done, () => this.#turns.delete(id)).then(() => {
          shard.token = ++this.#lastToken;
        });
      }),
    );
  }

  commit(
    key: ShardKey,
    token: number,
    { checkpoint, applied, rate }: ShardProgress,
    write: (transaction: SinkTransaction<ReactionPort>) => Promise<void>,
  ): Promise<void> {
    return this.#inTurn(idOf(key), async () => {
      const shard = this.#assertOwner(key, token);
      await write({
        context: this.#context,
        park: () => {
          throw new InvalidArgumentError(
            `The projection '${key.name}' has no sink to park events in: with onPoison 'park' it needs one.`,
          );
        },
        parkBehind: async () => undefined,
        settle: async (eventId) => {
          this.#settle(key.name, eventId);
        },
      });
      // The handlers may have taken longer than the others wait.
      this.#assertOwner(key, token);
      if (checkpoint !== undefined) {
        await this.#checkpoints.save(key.name, shard.epoch, key.build, key.shard, checkpoint);
      }
      shard.applied = applied;
      shard.rate = rate;
      this.#saveAppliedSoon(shard);
    });
  }

  async inspect(_name: string, _build: number, run: BuildHook<ReactionPort>): Promise<void> {
    await run?.(this.#context);
  }

  async activate(): Promise<void> {
    // The only build is live.
  }

  async drop(): Promise<void> {
    // There is no other build.
  }

  /** This sink parks no events, so none is retried. */
  async nextRetried(): Promise<undefined> {
    return undefined;
  }

  async parked(name: string): Promise<readonly ParkedEvent[]> {
    return this.#blockingOf(name);
  }

  async reportStop(key: ShardKey, token: number, failure: EventFailure): Promise<void> {
    this.#assertOwner(key, token);
    const parkedAt = new Date().toISOString();
    const { id, streamId, version, position, type } = failure.event;
    const event = { id, streamId, version, position, type };
    this.#blocking.set(idOf(key), { ...failure, event, status: 'blocking', parkedAt });
  }

  /** Skipping the blocking event marks it as handled. */
  async decide(name: string, build: number, decision: ParkDecision): Promise<boolean> {
    this.#settle(name, decision.eventId);
    if (decision.action === 'retry') return true;
    if (decision.blockedAt === undefined) return false;
    const { shard, checkpoint, build: blockedBuild = build } = decision.blockedAt;
    const { epoch } = await this.#checkpoints.read(name);
    await this.#checkpoints.save(name, epoch, blockedBuild, shard, checkpoint);
    return true;
  }

  async rebase(spec: BuildSpec, target: RebaseTarget): Promise<void> {
    await this.fence(spec.name);
    await this.#saveApplied(spec.name);
    const { layouts } = await this.#checkpoints.open(spec.name, spec.shards);
    await this.#checkpoints.replace(spec.name, rebased(spec, layouts, target));
    for (const [id, { key }] of this.#owned) if (key.name === spec.name) this.#blocking.delete(id);
  }

  #build(
    { name, version, shards: current }: BuildSpec,
    { layouts }: ShardLayouts,
    shards: number,
  ): ProjectionBuild {
    // Events applied under another number of shards are counted in the first shard.
    const others = shards === current ? layouts.filter((layout) => layout.shards !== shards) : [];
    const before = others.flatMap(({ applied }) => applied).reduce((sum, each) => sum + each, 0);
    const own = layouts.find((layout) => layout.shards === shards);
    const progress = Array.from({ length: shards }, (_, shard): ShardProgress => {
      const checkpoint = startOf(layouts, shards, shard);
      const { rate = 0 } = this.#owned.get(idOf({ name, build: shards, shard })) ?? {};
      const applied = (own?.applied[shard] ?? 0) + (shard === 0 ? before : 0);
      return { ...(checkpoint !== undefined && { checkpoint }), applied, rate };
    });
    return {
      name,
      build: shards,
      role: shards === current ? 'live' : 'former',
      version,
      shards,
      progress,
    };
  }

  #blockingOf(name: string): readonly ParkedEvent[] {
    return [...this.#blocking].flatMap(([id, event]) =>
      this.#owned.get(id)?.key.name === name ? [event] : [],
    );
  }

  #settle(name: string, eventId: string): void {
    for (const [id, { event }] of this.#blocking) {
      if (event.id === eventId && this.#owned.get(id)?.key.name === name) this.#blocking.delete(id);
    }
  }

  #saveAppliedSoon(shard: OwnedShard): void {
    if (shard.saving !== undefined || shard.applied === shard.appliedSaved) return;
    shard.saving = setTimeout(() => {
      // The next page or status request tries again.
      this.#saveAppliedOf(shard).catch(() => undefined);
    }, appliedInterval);
    shard.saving.unref();
  }

  /** Saves before showing, so that no other process ever shows less. */
  async #saveApplied(name: string): Promise<void> {
    const owned = [...this.#owned.values()].filter(({ key }) => key.name === name);
    await Promise.all(owned.map((shard) => this.#saveAppliedOf(shard)));
  }

  async #saveAppliedOf(shard: OwnedShard): Promise<void> {
    clearTimeout(shard.saving);
    delete shard.saving;
    const { key, epoch, applied } = shard;
    if (applied === shard.appliedSaved) return;
    await this.#checkpoints.saveApplied(key.name, epoch, key.build, key.shard, applied);
    shard.appliedSaved = applied;
  }

  #inTurn<T>(id: string, run: () => Promise<T>): Promise<T> {
    const turn = Promise.resolve(this.#turns.get(id)).then(run);
    this.#turns.set(
      id,
      turn.catch(() => undefined),
    );
    return turn;
  }

  #assertOwner(key: ShardKey, token: number): OwnedShard {
    const shard = this.#owned.get(idOf(key));
    if (shard?.token !== token) throw new OwnershipLostError(key);
    return shard;
  }
}

function idOf({ name, build, shard }: ShardKey): string {
  return joinNames(name, build, shard);
}
