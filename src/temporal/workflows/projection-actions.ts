import { CancellationScope, isCancellation } from '@temporalio/workflow';
import {
  NoPreviousBuildError,
  ProjectionNotRunningError,
  RebuildUnderWayError,
} from '../../core/errors/projection-errors.js';
import { StoreUnavailableError } from '../../core/errors/store-errors.js';
import type { ProjectionAction, RebaseFrom } from '../shared/projection-requests.js';
import type { BlockedShard } from '../shared/projection-run.js';
import type { LiveProjection } from './live-projection.js';
import type { ProjectionRebuild } from './projection-rebuild.js';
import type { ProjectionState } from './projection-state.js';
import { patience, quickly, reasonOf } from './projection-tasks.js';

type ActionInTurn = Exclude<ProjectionAction, { readonly action: 'pause' | 'stop' }>;

/** Does what operators ask of a projection. */
export class ProjectionActions {
  readonly #live: LiveProjection;
  readonly #rebuild: ProjectionRebuild;
  readonly #state: ProjectionState;
  /** Cancels the action under way. */
  #acting: CancellationScope | undefined;
  /** Ends with the last action: actions take turns. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(live: LiveProjection, rebuild: ProjectionRebuild, state: ProjectionState) {
    this.#live = live;
    this.#rebuild = rebuild;
    this.#state = state;
  }

  get isActing(): boolean {
    return this.#acting !== undefined;
  }

  /** Ends an action, which may be waiting for a store that never comes back. */
  cancel(): void {
    this.#acting?.cancel();
  }

  /** @param within milliseconds @throws StoreUnavailableError when it isn't certain that the action was done */
  async perform(action: ProjectionAction, within: number): Promise<void> {
    // Out of turn: the action under way may be waiting for a store that can't be reached.
    if (action.action === 'pause' || action.action === 'stop') return this.#rest(action.action, within);
    await this.#live.assertOpenWithin(within);
    const turn = this.#turn.then(() => this.#actUnlessStopped(action));
    this.#turn = turn.catch(() => undefined);
    return turn;
  }

  /** When it returns, nothing is being applied. @throws StoreUnavailableError when that isn't certain */
  async #rest(action: 'pause' | 'stop', within: number): Promise<void> {
    const mode = action === 'pause' ? 'paused' : 'stopped';
    this.#state.set({ mode });
    try {
      await this.#live.interrupt(within);
    } catch (error) {
      throw new StoreUnavailableError(
        `The projection '${this.#live.name}' is ${mode}, and begins nothing more. But its sink can't be reached, so a worker that can ` +
          `may still write what it had begun. ${mode === 'paused' ? 'Pause it again to be sure. ' : ''}${reasonOf(error)}`,
        { cause: error },
      );
    }
  }

  /** @throws ProjectionNotRunningError as soon as the projection is stopped */
  async #actUnlessStopped(action: ActionInTurn): Promise<void> {
    const isStopped = (): boolean => this.#state.mode === 'stopped';
    const { name } = this.#live;
    const stopped = (cause?: unknown): Error =>
      new ProjectionNotRunningError(`The projection '${name}' was stopped meanwhile.`, {
        projection: name,
        cause,
      });
    if (isStopped()) throw stopped();
    this.#acting = new CancellationScope();
    try {
      await this.#acting.run(() => this.#act(action));
    } catch (error) {
      throw isStopped() && isCancellation(error) ? stopped(error) : error;
    } finally {
      this.#acting = undefined;
    }
  }

  async #act(action: ActionInTurn): Promise<void> {
    const { name } = this.#live;
    switch (action.action) {
      case 'resume':
        // It may have failed because the store has another id.
        if (this.#state.mode === 'failed') {
          await this.#live.hold(() => this.#live.do((tasks) => tasks.eventStoreAdoptStore({ name })));
        }
        this.#state.resume();
        return;
      case 'rebuild':
        if (this.#state.isRebuilding) {
          throw new RebuildUnderWayError(`'${name}' is being rebuilt already.`, { projection: name });
        }
        this.#state.beginRebuild({
          ...(action.maxRate !== undefined && { maxRate: action.maxRate }),
          ...(action.version !== undefined && { version: action.version }),
        });
        return;
      case 'cancelRebuild':
        return this.#rebuild.cancel();
      case 'rollback':
        return this.#rollBack();
      case 'rebase':
        return this.#rebase(action.from);
      case 'retry':
      case 'skip':
        return this.#decide(action);
    }
  }

  async #rollBack(): Promise<void> {
    const live = this.#live;
    await live.refresh();
    const previous = live.builds.find(({ role }) => role === 'previous');
    if (previous === undefined) {
      throw new NoPreviousBuildError(`'${live.name}' has no earlier build to roll back to.`, {
        projection: live.name,
      });
    }
    await live.hold(() => live.activate(previous));
    this.#state.resumeUnlessPaused();
  }

  async #rebase(from: RebaseFrom): Promise<void> {
    const live = this.#live;
    const { name } = live;
    if (this.#state.isRebuilding) {
      throw new RebuildUnderWayError(`'${name}' is being rebuilt; wait, or cancelRebuild.`, {
        projection: name,
      });
    }
    await live.hold(async () => {
      await live.do((tasks) => tasks.eventStoreRebaseProjection({ name, from }));
      await live.refresh();
    });
    this.#state.resumeUnlessPaused();
  }

  async #decide(action: ProjectionAction & { readonly eventId: string }): Promise<void> {
    const { name } = this.#live;
    const { build } = await this.#live.refresh();
    const { eventId } = action;
    // Read once the projection rests: the operator, who sees the stop in the sink, may come before the news of it.
    const blockedAt = (): BlockedShard | undefined =>
      this.#state.run.blocked?.event.eventId === eventId ? this.#state.run.blocked : undefined;
    await this.#live.hold(() => {
      const blocked = blockedAt();
      const decision = {
        name,
        build,
        eventId,
        ...(action.action === 'skip' && { skip: { operator: action.operator, reason: action.reason } }),
        ...(blocked && { blockedAt: blockedAtOf(blocked) }),
      };
      return quickly(patience, (tasks) => tasks.eventStoreDecideParked(decision));
    });
    if (blockedAt() !== undefined && this.#state.mode === 'blocked') this.#state.resume();
  }
}

function blockedAtOf({ build, shard, checkpoint }: BlockedShard): Omit<BlockedShard, 'event'> {
  return { ...(build !== undefined && { build }), shard, checkpoint };
}
