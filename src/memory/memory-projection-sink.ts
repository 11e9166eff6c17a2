import { InvalidArgumentError } from '../core/errors/invalid-argument-error.js';
import type { RecordedEvent } from '../core/events/event.js';
import { isFunction } from '../core/options/options.js';
import { assertSameTables } from '../core/projections/fingerprint.js';
import {
  OwnershipLostError,
  type BuildHook,
  type BuildSpec,
  type EventFailure,
  type ParkDecision,
  type ParkedEvent,
  type ProjectionBuild,
  type ProjectionSink,
  type ShardKey,
  type ShardOwnership,
  type ShardProgress,
  type SinkTransaction,
} from '../core/projections/projection-sink.js';
import { shardOf } from '../core/projections/shard-of.js';

interface StoredParked extends ParkedEvent {
  readonly event: RecordedEvent;
  readonly shard: number;
}

interface Build<Model> extends BuildSpec {
  readonly build: number;
  role: ProjectionBuild['role'];
  model: Model;
  readonly shards: number;
  readonly owned: { token: number; progress: ShardProgress }[];
  readonly parked: Map<string, StoredParked>;
}

/**
 * Keeps read models in the memory of the process, exactly once, for tests and small models. Each page works on a copy
 * (`structuredClone`), which replaces the model when the page is done.
 *
 * @example
 * const sink = new MemoryProjectionSink(() => new Map<string, number>());
 * const balances = defineProjection<Deposited, Map<string, number>>({
 *   name: 'balances',
 *   sink,
 *   handlers: { Deposited: (event, model) => model.set(event.streamId, event.data.amount) },
 * });
 * sink.model('balances')?.get('Account-7');
 */
export class MemoryProjectionSink<Model> implements ProjectionSink<Model> {
  readonly guarantee = 'exactly-once';
  readonly #create: () => Model;
  readonly #builds = new Map<string, Build<Model>[]>();
  #lastToken = 0;
  #lastBuild = 0;
  /** Commits take turns, as in a database where each locks what it changes. */
  #turn: Promise<unknown> = Promise.resolve();

  /** @param create makes an empty read model */
  constructor(create: () => Model) {
    if (isFunction(create) !== undefined) {
      throw new InvalidArgumentError('MemoryProjectionSink takes a function that makes an empty read model.');
    }
    this.#create = create;
  }

  /** The live read model; undefined before the projection was started. Treat it as read-only. */
  model(name: string): Model | undefined {
    return this.#of(name).find(({ role }) => role === 'live')?.model;
  }

  open(spec: BuildSpec, init: BuildHook<Model>): Promise<readonly ProjectionBuild[]> {
    return this.#inTurn(async () => {
      if (!this.#of(spec.name).some(({ role }) => role === 'live')) await this.#add(spec, 'live', init);
      return assertSameTables(spec, this.#of(spec.name).map(describe));
    });
  }

  begin(
    spec: BuildSpec,
    { init, reset }: { init: BuildHook<Model>; reset: BuildHook<Model> },
  ): Promise<ProjectionBuild> {
    return this.#inTurn(async () => {
      await this.#remove(spec.name, ({ role }) => role === 'next', reset);
      const next = await this.#add(spec, 'next', init);
      // What an operator has skipped is skipped for good.
      for (const [eventId, event] of this.#of(spec.name).find(({ role }) => role === 'live')?.parked ?? []) {
        const shard = shardOf(event.event.streamId, spec.shards);
        if (event.status === 'skipped') next.parked.set(eventId, { ...event, shard });
      }
      return describe(next);
    });
  }

  acquire(key: ShardKey): Promise<ShardOwnership> {
    return this.#inTurn(async () => {
      const { build, owned } = this.#shard(key);
      owned.token = ++this.#lastToken;
      const { checkpoint } = owned.progress;
      const parked = inOrder([...build.parked.values()].filter(({ shard }) => shard === key.shard));
      const streamsOf = (...wanted: readonly ParkedEvent['status'][]): readonly string[] => [
        ...new Set(parked.filter(({ status }) => wanted.includes(status)).map(({ event }) => event.streamId)),
      ];
      const isAhead = ({ event }: StoredParked): boolean => event.position > (checkpoint?.position ?? 0);
      const idsOf = (events: readonly StoredParked[], wanted: ParkedEvent['status']): readonly string[] =>
        events.filter(({ status }) => status === wanted).map(({ event }) => event.id);
      const places = {
        streams: streamsOf('parked', 'retrying'),
        retrying: streamsOf('retrying'),
        skipped: idsOf(parked.filter(isAhead), 'skipped'),
        blocking: idsOf(parked, 'blocking'),
      };
      return { ...owned.progress, token: owned.token, parked: places };
    });
  }

  fence(name: string): Promise<void> {
    return this.#inTurn(async () => {
      for (const { owned } of this.#of(name)) for (const each of owned) each.token = ++this.#lastToken;
    });
  }

  commit(
    key: ShardKey,
    token: number,
    progress: ShardProgress,
    write: (transaction: SinkTransaction<Model>) => Promise<void>,
  ): Promise<void> {
    return this.#inTurn(async () => {
      const { build, owned } = this.#owned(key, token);
      const context = structuredClone(build.model);
      const changes: (() => void)[] = [];
      await write({
        context,
        park: async (failure) => {
          changes.push(() => {
            park(build, key, failure, 'parked');
          });
        },
        parkBehind: async (streamId, error) => {
          changes.push(() => {
            for (const [eventId, other] of build.parked) {
              if (other.shard !== key.shard || other.event.streamId !== streamId) continue;
              if (other.status !== 'retrying') continue;
              build.parked.set(eventId, { ...other, error, attempts: 0, status: 'parked' });
            }
          });
        },
        settle: async (eventId) => {
          changes.push(() => void build.parked.delete(eventId));
        },
      });
      build.model = context;
      owned.progress = progress;
      for (const change of changes) change();
    });
  }

  async reportStop(key: ShardKey, token: number, failure: EventFailure): Promise<void> {
    park(this.#owned(key, token).build, key, failure, 'blocking');
  }

  inspect(name: string, build: number, run: BuildHook<Model>): Promise<void> {
    return this.#inTurn(async () => {
      await run?.(this.#build(name, build).model);
    });
  }

  activate(name: string, build: number, reset: BuildHook<Model>): Promise<void> {
    return this.#inTurn(async () => {
      const next = this.#build(name, build);
      if (next.role === 'live') return;
      await this.#remove(name, (other) => other.role === 'previous' && other !== next, reset);
      for (const other of this.#of(name)) if (other.role === 'live') other.role = 'previous';
      next.role = 'live';
    });
  }

  drop(name: string, build: number, reset: BuildHook<Model>): Promise<void> {
    return this.#inTurn(() =>
      this.#remove(name, (other) => other.build === build && other.role !== 'live', reset),
    );
  }

  async parked(name: string, build: number, limit: number): Promise<readonly ParkedEvent[]> {
    const all = inOrder([...this.#build(name, build).parked.values()]);
    return all.slice(0, limit).map(({ shard: _, event, ...parked }) => {
      const { id, streamId, version, position, type } = event;
      return { ...parked, event: { id, streamId, version, position, type } };
    });
  }

  async nextRetried(key: ShardKey, streamId: string): Promise<RecordedEvent | undefined> {
    const { build } = this.#shard(key);
    return inOrder([...build.parked.values()]).find(
      ({ shard, status, event }) =>
        shard === key.shard && status === 'retrying' && event.streamId === streamId,
    )?.event;
  }

  async decide(name: string, build: number, decision: ParkDecision): Promise<boolean> {
    const { parked } = this.#build(name, build);
    const found = parked.get(decision.eventId);
    if (found === undefined || found.status === 'skipped') return false;
    if (decision.action === 'skip') {
      const { operator, reason } = decision;
      parked.set(decision.eventId, { ...found, status: 'skipped', operator, reason });
    }
    if (found.status === 'blocking') {
      if (decision.action === 'retry') parked.delete(decision.eventId);
      return true;
    }
    for (const [eventId, other] of parked) {
      if (other.event.streamId === found.event.streamId && other.status === 'parked') {
        parked.set(eventId, { ...other, status: 'retrying' });
      }
    }
    return true;
  }

  #inTurn<T>(run: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(run);
    this.#turn = turn.catch(() => undefined);
    return turn;
  }

  async #add(spec: BuildSpec, role: Build<Model>['role'], init: BuildHook<Model>): Promise<Build<Model>> {
    const owned = Array.from({ length: spec.shards }, () => ({
      token: 0,
      progress: { applied: 0, rate: 0 },
    }));
    const model = this.#create();
    const parked: Build<Model>['parked'] = new Map();
    const build = { ...spec, build: ++this.#lastBuild, role, model, owned, parked };
    await init?.(model);
    this.#builds.set(spec.name, [...this.#of(spec.name), build]);
    return build;
  }

  async #remove(
    name: string,
    isGone: (build: Build<Model>) => boolean,
    reset: BuildHook<Model>,
  ): Promise<void> {
    for (const { model } of this.#of(name).filter(isGone)) await reset?.(model);
    this.#builds.set(
      name,
      this.#of(name).filter((build) => !isGone(build)),
    );
  }

  #of(name: string): readonly Build<Model>[] {
    return this.#builds.get(name) ?? [];
  }

  #build(name: string, build: number): Build<Model> {
    const found = this.#of(name).find((other) => other.build === build);
    if (found === undefined) throw new InvalidArgumentError(`'${name}' has no build ${build}.`);
    return found;
  }

  #shard(key: ShardKey): { build: Build<Model>; owned: Build<Model>['owned'][number] } {
    const build = this.#of(key.name).find((other) => other.build === key.build);
    const owned = build?.owned[key.shard];
    if (build === undefined || owned === undefined) throw new OwnershipLostError(key);
    return { build, owned };
  }

  #owned(key: ShardKey, token: number): { build: Build<Model>; owned: Build<Model>['owned'][number] } {
    const found = this.#shard(key);
    if (found.owned.token !== token) throw new OwnershipLostError(key);
    return found;
  }
}

function park<Model>(
  { parked }: Build<Model>,
  { shard }: ShardKey,
  failure: EventFailure,
  status: 'parked' | 'blocking',
): void {
  parked.set(failure.event.id, { ...failure, shard, status, parkedAt: new Date().toISOString() });
}

function describe<Model>(build: Build<Model>): ProjectionBuild {
  const { name, build: number, role, version, fingerprint, shards, owned } = build;
  const told = {
    name,
    build: number,
    role,
    version,
    ...(fingerprint !== undefined && { fingerprint }),
    shards,
  };
  return { ...told, progress: owned.map(({ progress }) => progress) };
}

function inOrder<T extends ParkedEvent>(events: readonly T[]): readonly T[] {
  return [...events].sort((one, other) => one.event.position - other.event.position);
}
