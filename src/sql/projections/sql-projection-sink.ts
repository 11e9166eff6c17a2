import { InvalidArgumentError, StoreUnavailableError } from '../../core/errors/errors.js';
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
  type ShareKey,
  type ShareOwnership,
  type ShareProgress,
  type SinkTransaction,
} from '../../core/projections/projection-sink.js';
import { shareOf } from '../../core/projections/share-of.js';
import { utf8Length } from '../../core/values/json.js';
import { assertSchemaName, inSchema } from '../schema-name.js';
import { isPassing, sqlStateOf, translateSqlError } from '../sql-errors.js';
import * as statements from './statements.js';

/** A connection inside a transaction, as pg's clients and PGlite's transactions are. */
export interface SqlClient {
  query(text: string, values?: unknown[]): Promise<{ readonly rows: readonly unknown[] }>;
}

/** What a handler writes with. */
export interface SqlProjectionContext<Client = SqlClient> {
  /**
   * In the transaction that also moves the checkpoint: don't commit it. Its `search_path` begins with `schema`, so that
   * names without a schema are those of the read model.
   */
  readonly client: Client;
  /** Schema of the build that is written. Readers find the live one in the schema that has the projection's name. */
  readonly schema: string;
}

/**
 * Runs something in a transaction, and rolls back when it throws. When that can't be done, or not be known, it throws what
 * the driver did: the connection is to blame, and not what was run.
 */
export type RunTransaction<Client> = <T>(run: (client: Client) => Promise<T>) => Promise<T>;

/** Keeps builds, checkpoints and parked events here. */
export const defaultProjectionSchema = 'event_store_projections';

type Row = Readonly<Record<string, unknown>>;

/** Read models in the schemas of a database, each with its checkpoint in the same transaction. */
export class SqlProjectionSink<Client extends SqlClient> implements ProjectionSink<
  SqlProjectionContext<Client>
> {
  readonly guarantee = 'exactly-once';
  readonly #schema: string;
  readonly #transaction: RunTransaction<Client>;
  #prepared: Promise<void> | undefined;

  /** @internal */
  constructor(schema: string, transaction: RunTransaction<Client>) {
    assertSchemaName(schema);
    this.#schema = schema;
    this.#transaction = transaction;
  }

  async open(
    spec: BuildSpec,
    init: BuildHook<SqlProjectionContext<Client>>,
  ): Promise<readonly ProjectionBuild[]> {
    assertReadModelName(spec.name);
    await this.#prepare();
    // Without the lock: whoever asks where it stands needn't wait for one who fills or verifies a build.
    const there = await this.#run((client) => this.#builds(client, spec.name));
    if (there.some(({ role }) => role === 'live')) return there;
    return this.#alone(spec.name, async (client) => {
      const found = await this.#builds(client, spec.name);
      if (found.some(({ role }) => role === 'live')) return found;
      await this.#create(client, spec, 'live', init);
      return this.#builds(client, spec.name);
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
    assertReadModelName(spec.name);
    return this.#alone(spec.name, async (client) => {
      const unfinished = (await this.#builds(client, spec.name)).find(({ role }) => role === 'next');
      if (unfinished !== undefined) await this.#remove(client, unfinished, reset);
      const build = await this.#create(client, spec, 'next', init);
      await this.#skipAsBefore(client, spec, build);
      const builds = await this.#builds(client, spec.name);
      return builds.find(({ role }) => role === 'next') as ProjectionBuild;
    });
  }

  async acquire(key: ShareKey): Promise<ShareOwnership> {
    await this.#prepare();
    return this.#run(async (client) => {
      const [share] = await this.#query(client, statements.acquire, keyOf(key));
      if (share === undefined) throw new OwnershipLostError(key);
      const parked = await this.#query(client, statements.parkedOfShare, keyOf(key));
      return { ...progressOf(share), token: Number(share['token']), parked: parked.map(toParked) };
    });
  }

  async fence(name: string): Promise<void> {
    await this.#prepare();
    await this.#run((client) => this.#query(client, statements.fence, [name]));
  }

  async commit(
    key: ShareKey,
    token: number,
    { checkpoint, applied, rate }: ShareProgress,
    write: (transaction: SinkTransaction<SqlProjectionContext<Client>>) => Promise<void>,
  ): Promise<void> {
    await this.#prepare();
    let isWritten = false;
    await this.#run(
      async (client) => {
        const [row] = await this.#query(client, statements.lockShare, [...keyOf(key), token]);
        if (row === undefined) throw new OwnershipLostError(key);
        await write({
          context: { client, schema: row['schema'] as string },
          park: async (failure) => {
            await this.#park(client, key, failure, 'parked');
          },
          settle: async (eventId) => {
            await this.#query(client, statements.settle, [key.name, key.build, eventId]);
          },
        });
        isWritten = true;
        const { storeId, position } = checkpoint ?? {};
        const values = [...keyOf(key), storeId ?? null, position ?? null, applied, rate];
        await this.#query(client, statements.advance, values);
      },
      (error) =>
        // The handler went on after a statement of its own had failed, or left what a deferred constraint refuses.
        isWritten && sqlStateOf(error) !== undefined ? new HandlerError(error) : error,
    );
  }

  async reportStop(key: ShareKey, token: number, failure: EventFailure): Promise<void> {
    await this.#run(async (client) => {
      const [row] = await this.#query(client, statements.lockShare, [...keyOf(key), token]);
      if (row === undefined) throw new OwnershipLostError(key);
      await this.#park(client, key, failure, 'blocking');
    });
  }

  inspect(name: string, build: number, run: BuildHook<SqlProjectionContext<Client>>): Promise<void> {
    return this.#alone(name, async (client) => {
      const found = (await this.#builds(client, name)).find((other) => other.build === build);
      if (found === undefined) throw new InvalidArgumentError(`'${name}' has no build ${build}.`);
      await this.#hook(client, schemaOf(name, found.role), run);
    });
  }

  activate(name: string, build: number, reset: BuildHook<SqlProjectionContext<Client>>): Promise<void> {
    return this.#alone(name, async (client) => {
      // Waits for whoever writes, and holds off who wants to.
      await this.#query(client, statements.lockShares, [name]);
      // Who has waited for the locks would find its schema under another name.
      await this.#query(client, statements.fence, [name]);
      const builds = await this.#builds(client, name);
      const next = builds.find((other) => other.build === build);
      if (next === undefined) throw new InvalidArgumentError(`'${name}' has no build ${build}.`);
      if (next.role === 'live') return;
      const previous = builds.find(({ role }) => role === 'previous');
      if (previous !== undefined && previous !== next) await this.#remove(client, previous, reset);
      const aside = `${name}__aside`;
      await rename(client, schemaOf(name, next.role), aside);
      await rename(client, schemaOf(name, 'live'), schemaOf(name, 'previous'));
      await rename(client, aside, schemaOf(name, 'live'));
      await this.#query(client, statements.activate, [name, build]);
    });
  }

  drop(name: string, build: number, reset: BuildHook<SqlProjectionContext<Client>>): Promise<void> {
    return this.#alone(name, async (client) => {
      const found = (await this.#builds(client, name)).find((other) => other.build === build);
      if (found !== undefined && found.role !== 'live') await this.#remove(client, found, reset);
    });
  }

  async parked(name: string, build: number): Promise<readonly ParkedEvent[]> {
    await this.#prepare();
    return this.#run(async (client) =>
      (await this.#query(client, statements.parkedOfBuild, [name, build])).map(toParked),
    );
  }

  async decide(name: string, build: number, decision: ParkDecision): Promise<boolean> {
    await this.#prepare();
    return this.#run(async (client) => {
      const [found] = await this.#query(client, statements.lockParked, [name, build, decision.eventId]);
      if (found === undefined) return false;
      const key = [name, build, decision.eventId];
      if (decision.action === 'skip')
        await this.#query(client, statements.skip, [...key, decision.operator, decision.reason]);
      if (found['status'] !== 'blocking')
        await this.#query(client, statements.retryStream, [name, build, found['stream_id']]);
      else if (decision.action === 'retry') await this.#query(client, statements.settle, key);
      return true;
    });
  }

  async #park(
    client: Client,
    { name, build, share }: ShareKey,
    { event, error, attempts }: EventFailure,
    status: 'parked' | 'blocking',
  ): Promise<void> {
    const { id, streamId, position } = event;
    const values = [
      name,
      build,
      share,
      id,
      streamId,
      position,
      JSON.stringify(event),
      error,
      attempts,
      status,
    ];
    await this.#query(client, statements.park, values);
  }

  async #create(
    client: Client,
    { name, version, shares }: BuildSpec,
    role: 'live' | 'next',
    init: BuildHook<SqlProjectionContext<Client>>,
  ): Promise<number> {
    const schema = schemaOf(name, role);
    await client.query(`create schema ${quoted(schema)}`);
    const [row] = await this.#query(client, statements.addBuild, [name, role, version]);
    const build = Number(row?.['build']);
    await this.#query(client, statements.addShares, [name, build, shares]);
    await this.#hook(client, schema, init);
    return build;
  }

  /** What an operator has skipped is skipped for good. */
  async #skipAsBefore(client: Client, { name, shares }: BuildSpec, build: number): Promise<void> {
    for (const row of await this.#query(client, statements.skippedOfLive, [name])) {
      const { event, error, attempts, operator, reason } = toParked(row);
      const share = { name, build, share: shareOf(event.streamId, shares) };
      await this.#park(client, share, { event, error, attempts }, 'parked');
      await this.#query(client, statements.skip, [name, build, event.id, operator, reason]);
    }
  }

  async #remove(
    client: Client,
    { name, build, role }: ProjectionBuild,
    reset: BuildHook<SqlProjectionContext<Client>>,
  ): Promise<void> {
    const schema = schemaOf(name, role);
    await this.#hook(client, schema, reset);
    await client.query(`drop schema ${quoted(schema)} cascade`);
    await this.#query(client, statements.removeBuild, [name, build]);
  }

  async #hook(client: Client, schema: string, run: BuildHook<SqlProjectionContext<Client>>): Promise<void> {
    if (run === undefined) return;
    await this.#query(client, statements.setSearchPath, [quoted(schema)]);
    await run({ client, schema });
  }

  async #builds(client: Client, name: string): Promise<readonly ProjectionBuild[]> {
    const rows = await this.#query(client, statements.builds, [name]);
    const builds = new Map<number, ProjectionBuild & { progress: ShareProgress[]; shares: number }>();
    for (const row of rows) {
      const build = Number(row['build']);
      const role = row['role'] as ProjectionBuild['role'];
      const found = builds.get(build) ?? {
        name,
        build,
        role,
        version: Number(row['version']),
        shares: 0,
        progress: [],
      };
      found.progress.push(progressOf(row));
      builds.set(build, { ...found, shares: found.progress.length });
    }
    return [...builds.values()];
  }

  /** In a transaction in which nobody else changes the builds of the projection. */
  async #alone<T>(name: string, run: (client: Client) => Promise<T>): Promise<T> {
    await this.#prepare();
    return this.#run(async (client) => {
      await this.#query(client, statements.lockProjection, [name]);
      return run(client);
    });
  }

  /** Makes the tables of this sink, once a process. */
  async #prepare(): Promise<void> {
    this.#prepared ??= this.#run(async (client) => {
      await this.#query(client, statements.lockSetUp, []);
      const [exists] = await this.#query(client, statements.isSetUp, [this.#schema]);
      if (exists?.['is_set_up'] === true) return;
      for (const text of statements.setUp) await this.#query(client, text, []);
    });
    try {
      await this.#prepared;
    } catch (error) {
      this.#prepared = undefined;
      throw error;
    }
  }

  async #query(client: Client, text: string, values: unknown[]): Promise<readonly Row[]> {
    const { rows } = await client.query(inSchema(text, this.#schema), values);
    return rows as readonly Row[];
  }

  /** A transaction whose failures are the handler's, or typed errors. */
  async #run<T>(
    run: (client: Client) => Promise<T>,
    whose: (error: unknown) => unknown = (error) => error,
  ): Promise<T> {
    try {
      return await this.#transaction(run);
    } catch (thrown) {
      const error = whose(thrown);
      if (error instanceof OwnershipLostError) throw error;
      if (!(error instanceof HandlerError)) throw translateSqlError(error);
      const { cause } = error;
      if (sqlStateOf(cause) === undefined || !isPassing(cause)) throw error;
      throw new StoreUnavailableError(
        `The database could not apply the events just now: ${error.message}. They are tried again.`,
        { commitId: undefined, cause },
      );
    }
  }
}

/** Longer ones don't fit with the suffixes of the builds that aren't live. */
const maxNameBytes = 48;

function assertReadModelName(name: string): void {
  if (utf8Length(name) <= maxNameBytes && !name.startsWith('pg_')) return;
  throw new InvalidArgumentError(
    `The projection '${name}' names the schema of its read model: at most ${maxNameBytes} bytes, and no 'pg_' in front.`,
  );
}

function schemaOf(name: string, role: ProjectionBuild['role']): string {
  return role === 'live' ? name : `${name}__${role}`;
}

async function rename(client: SqlClient, from: string, to: string): Promise<void> {
  await client.query(`alter schema ${quoted(from)} rename to ${quoted(to)}`);
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

function keyOf({ name, build, share }: ShareKey): [string, number, number] {
  return [name, build, share];
}

function progressOf(row: Row): ShareProgress {
  const { store_id: storeId, position, applied, rate } = row;
  return {
    ...(typeof storeId === 'string' && { checkpoint: { storeId, position: Number(position) } }),
    applied: Number(applied),
    rate: Number(rate),
  };
}

function toParked(row: Row): ParkedEvent {
  const { event, error, attempts, status, parked_at: parkedAt, operator, reason } = row;
  return {
    event: (typeof event === 'string' ? JSON.parse(event) : event) as ParkedEvent['event'],
    error: error as string,
    attempts: Number(attempts),
    status: status as ParkedEvent['status'],
    parkedAt: parkedAt as string,
    ...(operator !== null && { operator: operator as string, reason: reason as string }),
  };
}
