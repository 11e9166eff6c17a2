import { InvalidArgumentError } from '../../core/errors/invalid-argument-error.js';
import type { RecordedEvent } from '../../core/events/event.js';
import { assertSameTables } from '../../core/projections/fingerprint.js';
import {
  HandlerError,
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
} from '../../core/projections/projection-sink.js';
import { sqlStateOf } from '../sql-errors.js';
import type { SqlRow } from '../sql-port.js';
import { HandlerGuard } from './handler-guard.js';
import { lockingBriefly, replaceOwners, retryWithoutOwners } from './owner-sessions.js';
import { ParkedEvents } from './parked-events.js';
import { assertReadModelName, progressOf, ReadModels, type SqlProjectionContext } from './read-models.js';
import { checkSession, findSessionChange } from './session-state.js';
import { SinkDatabase, type SinkDriver, type SqlClient } from './sink-database.js';
import * as statements from './statements.js';

/** The schema of builds, checkpoints and parked events. */
export const defaultProjectionSchema = 'event_store_projections';

/** Read models in the schemas of a database, each with its checkpoint in the same transaction. */
export class SqlProjectionSink<Client extends SqlClient> implements ProjectionSink<
  SqlProjectionContext<Client>
> {
  readonly guarantee = 'exactly-once';
  readonly #database: SinkDatabase<Client>;
  readonly #models: ReadModels<Client>;
  readonly #parked: ParkedEvents<Client>;

  /** @internal */
  constructor(schema: string, driver: SinkDriver<Client>) {
    this.#database = new SinkDatabase(schema, driver);
    this.#models = new ReadModels(this.#database);
    this.#parked = new ParkedEvents(this.#database);
  }

  async open(
    spec: BuildSpec,
    init: BuildHook<SqlProjectionContext<Client>>,
  ): Promise<readonly ProjectionBuild[]> {
    const { name } = spec;
    assertReadModelName(name);
    // Without the lock, so that a caller who asks for the state needn't wait for another who fills or verifies a build.
    const there = await this.#database.run((client) => this.#models.builds(client, name));
    if (hasLive(there)) return assertSameTables(spec, there);
    return this.#database.alone(name, async (client) => {
      const found = await this.#models.builds(client, name);
      if (hasLive(found)) return assertSameTables(spec, found);
      await this.#models.create(client, spec, 'live', init);
      return this.#models.builds(client, name);
    });
  }

  async begin(
    spec: BuildSpec,
    {
      init,
      reset,
    }: {
      readonly init: BuildHook<SqlProjectionContext<Client>>;
      readonly reset: BuildHook<SqlProjectionContext<Client>>;
    },
  ): Promise<ProjectionBuild> {
    const { name } = spec;
    assertReadModelName(name);
    return this.#database.alone(name, async (client) => {
      const unfinished = (await this.#models.builds(client, name)).find(({ role }) => role === 'next');
      // Checked before the work of a rebuild rather than after it.
      await this.#models.assertReplaceable(client, name);
      if (unfinished !== undefined) await this.#models.remove(client, unfinished, reset);
      const build = await this.#models.create(client, spec, 'next', init);
      await this.#parked.skipAsBefore(client, spec, build);
      const builds = await this.#models.builds(client, name);
      return builds.find(({ role }) => role === 'next') as ProjectionBuild;
    });
  }

  acquire(key: ShardKey): Promise<ShardOwnership> {
    return replaceOwners(this.#database, key, async (client) => {
      const [shard] = await this.#database.query(client, statements.acquire, keyOf(key));
      if (shard === undefined) throw new OwnershipLostError(key);
      const [token, ...progress] = shard;
      const parked = await this.#parked.ofShard(client, key);
      return { ...progressOf(progress), token: Number(token), parked };
    });
  }

  async fence(name: string): Promise<void> {
    await replaceOwners(this.#database, { name }, (client) =>
      this.#database.query(client, statements.fence, [name]),
    );
  }

  async commit(
    key: ShardKey,
    token: number,
    { checkpoint, applied, rate, lastSeen }: ShardProgress,
    write: (transaction: SinkTransaction<SqlProjectionContext<Client>>) => Promise<void>,
  ): Promise<void> {
    const { storeId = null, position = null } = checkpoint ?? {};
    const seen = [lastSeen?.position ?? null, lastSeen?.id ?? null];
    const guard = new HandlerGuard();
    const frame = {
      opening: this.#database.inline(statements.lockShard, [...keyOf(key), token]),
      closing: (opened: readonly SqlRow[]) => [
        this.#database.inline(checkSession, [opened[0]?.at(-1) ?? '']),
        ...(guard.mayHaveTemporary ? ['discard temp'] : []),
        this.#database.inline(statements.advance, [...keyOf(key), storeId, position, applied, rate, ...seen]),
      ],
    };
    let isWritten = false;
    let state = '';
    await this.#database.run(
      async (client, [row]) => {
        if (row === undefined) throw new OwnershipLostError(key);
        state = row.at(-1) as string;
        await this.#database.guarded(
          client,
          (handlers) =>
            write({
              context: { client: handlers, schema: row[0] as string },
              park: (failure) => this.#parked.park(client, key, failure, 'parked'),
              settle: (eventId) => this.#parked.settle(client, key, eventId),
              parkBehind: (streamId, error) => this.#parked.parkBehind(client, key, streamId, error),
            }),
          guard,
        );
        isWritten = true;
      },
      {
        frame,
        whose: (error) =>
          // The handler went on after one of its statements had failed, or left rows that a deferred constraint
          // refuses.
          isWritten && sqlStateOf(error) !== undefined
            ? new HandlerError(findSessionChange(error, state) ?? error)
            : error,
      },
    );
  }

  async reportStop(key: ShardKey, token: number, failure: EventFailure): Promise<void> {
    await this.#database.run(async (client) => {
      const [row] = await this.#database.query(client, statements.lockShard.text, [...keyOf(key), token]);
      if (row === undefined) throw new OwnershipLostError(key);
      await this.#parked.park(client, key, failure, 'blocking');
    });
  }

  inspect(name: string, build: number, run: BuildHook<SqlProjectionContext<Client>>): Promise<void> {
    return this.#database.alone(name, async (client) => {
      await this.#models.runHook(client, await this.#find(client, name, build), run);
    });
  }

  async activate(name: string, build: number, reset: BuildHook<SqlProjectionContext<Client>>): Promise<void> {
    await retryWithoutOwners(this.#database, { name }, () => this.#activate(name, build, reset));
  }

  #activate(name: string, build: number, reset: BuildHook<SqlProjectionContext<Client>>): Promise<void> {
    return this.#database.alone(name, async (client) => {
      // Waits for writers under way, and holds off new ones.
      await lockingBriefly(this.#database, client, () =>
        this.#database.query(client, statements.lockShards, [name]),
      );
      // A transaction that waited for the locks would find its schema under another name.
      await this.#database.query(client, statements.fence, [name]);
      const next = await this.#find(client, name, build);
      if (next.role === 'live') return;
      const previous = (await this.#models.builds(client, name)).find(({ role }) => role === 'previous');
      if (previous !== undefined && previous.build !== build) {
        await this.#models.remove(client, previous, reset);
      }
      // A reader of a view being moved must not hold up the readers after it.
      await lockingBriefly(this.#database, client, () => this.#models.makeLive(client, next));
    });
  }

  drop(name: string, build: number, reset: BuildHook<SqlProjectionContext<Client>>): Promise<void> {
    return this.#database.alone(name, async (client) => {
      const found = (await this.#models.builds(client, name)).find((other) => other.build === build);
      if (found !== undefined && found.role !== 'live') await this.#models.remove(client, found, reset);
    });
  }

  parked(name: string, build: number, limit: number): Promise<readonly ParkedEvent[]> {
    return this.#database.run((client) => this.#parked.ofBuild(client, name, build, limit));
  }

  nextRetried(key: ShardKey, streamId: string): Promise<RecordedEvent | undefined> {
    return this.#database.run((client) => this.#parked.nextRetried(client, key, streamId));
  }

  decide(name: string, build: number, decision: ParkDecision): Promise<boolean> {
    return this.#database.run((client) => this.#parked.decide(client, name, build, decision));
  }

  async #find(client: Client, name: string, build: number): Promise<ProjectionBuild> {
    const found = (await this.#models.builds(client, name)).find((other) => other.build === build);
    if (found === undefined) throw new InvalidArgumentError(`'${name}' has no build ${build}.`);
    return found;
  }
}

function hasLive(builds: readonly ProjectionBuild[]): boolean {
  return builds.some(({ role }) => role === 'live');
}

function keyOf({ name, build, shard }: ShardKey): [string, number, number] {
  return [name, build, shard];
}
