import { InvalidArgumentError } from '../../../core/errors/errors.js';
import {
  OwnershipLostError,
  type BuildHook,
  type BuildSpec,
  type EventFailure,
  type ParkDecision,
  type ParkedEvent,
  type ProjectionBuild,
  type ProjectionSink,
  type ShareKey,
  type ShareOwnership,
  type ShareProgress,
  type SinkTransaction,
} from '../../../core/projections/projection-sink.js';
import type { ReactionPort } from '../../../core/reactions/consequences.js';
import type { CheckpointStore } from '../../../core/store/capabilities.js';
import { joinNames } from '../../shared/workflow-id.js';

const onlyBuild = 1;

/**
 * For what handlers do anywhere: a broker, an index, a service. Keeps checkpoints only, each after the handlers are done,
 * so that an event may come again after a crash. Owners of one process take turns; another process is told of by its
 * heartbeat only.
 */
export class CheckpointSink implements ProjectionSink<ReactionPort> {
  readonly guarantee = 'at-least-once';
  readonly #checkpoints: CheckpointStore;
  readonly #context: ReactionPort;
  readonly #shares = new Map<string, { token: number; applied: number; rate: number }>();
  readonly #blocking = new Map<string, ParkedEvent>();
  /** Of each share: who takes over, or holds the projection up, waits for a page under way. */
  readonly #turns = new Map<string, Promise<unknown>>();
  #lastToken = 0;

  /** @param context what handlers get: reactions act by it */
  constructor(checkpoints: CheckpointStore, context: ReactionPort) {
    this.#checkpoints = checkpoints;
    this.#context = context;
  }

  async open(spec: BuildSpec, init: BuildHook<ReactionPort>): Promise<readonly ProjectionBuild[]> {
    const build = await this.#describe(spec);
    if (build.progress.every(({ checkpoint }) => checkpoint === undefined)) await init?.(this.#context);
    return [build];
  }

  /** There is nothing beside which another could be built: what is there is reset, and filled again. */
  async begin(
    spec: BuildSpec,
    { init, reset }: { readonly init: BuildHook<ReactionPort>; readonly reset: BuildHook<ReactionPort> },
  ): Promise<ProjectionBuild> {
    if (reset === undefined) {
      throw new InvalidArgumentError(
        `The projection '${spec.name}' has neither a sink to build beside the live read model, nor a 'reset' to clear it away.`,
      );
    }
    await this.fence(spec.name);
    await reset(this.#context);
    for (let share = 0; share < spec.shares; share++) {
      await this.#checkpoints.delete(checkpointName({ name: spec.name, share }));
    }
    await init?.(this.#context);
    return this.#describe(spec);
  }

  acquire(key: ShareKey): Promise<ShareOwnership> {
    const name = checkpointName(key);
    return this.#inTurn(name, async () => {
      const { applied, rate } = this.#share(key);
      const token = ++this.#lastToken;
      this.#shares.set(name, { token, applied, rate });
      const checkpoint = await this.#checkpoints.load(name);
      const blocking = this.#blocking.get(name);
      const parked = {
        streams: [],
        retrying: [],
        skipped: [],
        blocking: blocking === undefined ? [] : [blocking.event.id],
      };
      return { ...(checkpoint !== undefined && { checkpoint }), applied, rate, token, parked };
    });
  }

  async fence(name: string): Promise<void> {
    const shares = [...this.#shares].filter(([key]) => isOf(name, key));
    await Promise.all(
      shares.map(([key]) =>
        this.#inTurn(key, async () => {
          const share = this.#shares.get(key);
          if (share !== undefined) share.token = ++this.#lastToken;
        }),
      ),
    );
  }

  commit(
    key: ShareKey,
    token: number,
    { checkpoint, applied, rate }: ShareProgress,
    write: (transaction: SinkTransaction<ReactionPort>) => Promise<void>,
  ): Promise<void> {
    const name = checkpointName(key);
    return this.#inTurn(name, async () => {
      this.#assertOwner(key, token);
      await write({
        context: this.#context,
        park: () => {
          throw new InvalidArgumentError(
            `The projection '${key.name}' has no sink to put events aside in: with onPoison 'quarantine' it needs one.`,
          );
        },
        parkBehind: async () => undefined,
        settle: async (eventId) => {
          if (this.#blocking.get(name)?.event.id === eventId) this.#blocking.delete(name);
        },
      });
      if (checkpoint !== undefined) await this.#checkpoints.save(name, checkpoint);
      this.#shares.set(name, { token, applied, rate });
    });
  }

  async inspect(_name: string, _build: number, run: BuildHook<ReactionPort>): Promise<void> {
    await run?.(this.#context);
  }

  async activate(): Promise<void> {
    // The only build is live.
  }

  async drop(): Promise<void> {
    // Nothing beside it.
  }

  /** None is parked here, to be tried again. */
  async nextRetried(): Promise<undefined> {
    return undefined;
  }

  async parked(name: string): Promise<readonly ParkedEvent[]> {
    return [...this.#blocking].filter(([key]) => isOf(name, key)).map(([, event]) => event);
  }

  async reportStop(key: ShareKey, token: number, failure: EventFailure): Promise<void> {
    this.#assertOwner(key, token);
    const parkedAt = new Date().toISOString();
    const { id, streamId, version, position, type } = failure.event;
    const event = { id, streamId, version, position, type };
    this.#blocking.set(checkpointName(key), { ...failure, event, status: 'blocking', parkedAt });
  }

  /** To skip the event that blocks is to say that it was handled. */
  async decide(name: string, _build: number, decision: ParkDecision): Promise<boolean> {
    for (const [key, { event }] of this.#blocking) {
      if (event.id === decision.eventId) this.#blocking.delete(key);
    }
    if (decision.action === 'retry') return true;
    if (decision.blockedAt === undefined) return false;
    const { share, checkpoint } = decision.blockedAt;
    await this.#checkpoints.save(checkpointName({ name, share }), checkpoint);
    return true;
  }

  async #describe({ name, version, shares }: BuildSpec): Promise<ProjectionBuild> {
    const progress: ShareProgress[] = [];
    for (let share = 0; share < shares; share++) {
      const checkpoint = await this.#checkpoints.load(checkpointName({ name, share }));
      const { applied, rate } = this.#share({ name, share });
      progress.push({ ...(checkpoint !== undefined && { checkpoint }), applied, rate });
    }
    return { name, build: onlyBuild, role: 'live', version, shares, progress };
  }

  #inTurn<T>(name: string, run: () => Promise<T>): Promise<T> {
    const turn = Promise.resolve(this.#turns.get(name)).then(run);
    this.#turns.set(
      name,
      turn.catch(() => undefined),
    );
    return turn;
  }

  #share(key: Pick<ShareKey, 'name' | 'share'>): { token: number; applied: number; rate: number } {
    return this.#shares.get(checkpointName(key)) ?? { token: 0, applied: 0, rate: 0 };
  }

  #assertOwner(key: ShareKey, token: number): void {
    if (this.#share(key).token !== token) throw new OwnershipLostError(key);
  }
}

function isOf(name: string, checkpoint: string): boolean {
  return checkpoint.startsWith(`${joinNames('projection', name)}/`);
}

function checkpointName({ name, share }: Pick<ShareKey, 'name' | 'share'>): string {
  return joinNames('projection', name, share);
}
