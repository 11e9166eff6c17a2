import { InvalidArgumentError } from '../../core/errors/invalid-argument-error.js';
import {
  HandlerError,
  type BuildHook,
  type BuildSpec,
  type ProjectionBuild,
  type ShardProgress,
} from '../../core/projections/projection-sink.js';
import { utf8Length } from '../../core/values/json.js';
import { quoted } from '../schema-name.js';
import { sqlStateOf } from '../sql-errors.js';
import type { SqlRow } from '../sql-port.js';
import { HandlerGuard } from './handler-guard.js';
import { Readers } from './readers.js';
import { checkSession, findSessionChange } from './session-state.js';
import type { SinkDatabase, SqlClient } from './sink-database.js';
import * as statements from './statements.js';

/** The client and the schema that a handler writes with. */
export interface SqlProjectionContext<Client = SqlClient> {
  /**
   * Runs in the transaction that also moves the checkpoint. The handler can't end it: a transaction that a query
   * library begins and ends within it is a savepoint, and a statement that would end it, or change the session beyond
   * it, is refused and fails the handler. The `search_path` begins with `schema`, so that names without a schema are
   * those of the read model. The client is no longer usable once the handler has returned.
   */
  readonly client: Client;
  /** Schema of the build that is written. Readers find the live build in the schema with the projection's name. */
  readonly schema: string;
}

/** A hook of a projection with a sink in SQL. */
type SqlHook<Client> = BuildHook<SqlProjectionContext<Client>>;

/** The builds of read models, each in a schema of its own, within the callers' transactions. */
export class ReadModels<Client extends SqlClient> {
  readonly #database: SinkDatabase<Client>;
  readonly #readers: Readers<Client>;

  constructor(database: SinkDatabase<Client>) {
    this.#database = database;
    this.#readers = new Readers(database);
  }

  async builds(client: Client, name: string): Promise<readonly ProjectionBuild[]> {
    const rows = await this.#database.query(client, statements.builds, [name]);
    const builds = new Map<number, ProjectionBuild & { progress: ShardProgress[] }>();
    for (const [id, role, version, fingerprint, ...ofShard] of rows) {
      const build = Number(id);
      const progress = [...(builds.get(build)?.progress ?? []), progressOf(ofShard)];
      builds.set(build, {
        name,
        build,
        role: role as ProjectionBuild['role'],
        version: Number(version),
        ...(fingerprint !== null && { fingerprint: fingerprint as string }),
        shards: progress.length,
        progress,
      });
    }
    return [...builds.values()];
  }

  async create(
    client: Client,
    { name, version, shards, fingerprint }: BuildSpec,
    role: 'live' | 'next',
    init: SqlHook<Client>,
  ): Promise<number> {
    await client.query(`create schema ${quoted(schemaOf(name, role))}`);
    const [row] = await this.#database.query(client, statements.addBuild, [
      name,
      role,
      version,
      fingerprint ?? null,
    ]);
    const build = Number(row?.[0]);
    await this.#database.query(client, statements.addShards, [name, build, shards]);
    await this.runHook(client, { name, role }, init);
    return build;
  }

  async remove(client: Client, build: ProjectionBuild, reset: SqlHook<Client>): Promise<void> {
    const { name, role } = build;
    await this.#readers.assertDroppable(client, schemaOf(name, role));
    await this.runHook(client, build, reset);
    await client.query(`drop schema ${quoted(schemaOf(name, role))} cascade`);
    await this.#database.query(client, statements.removeBuild, [name, build.build]);
  }

  async runHook(
    client: Client,
    { name, role }: Pick<ProjectionBuild, 'name' | 'role'>,
    run: SqlHook<Client>,
  ): Promise<void> {
    if (run === undefined) return;
    const schema = schemaOf(name, role);
    const [before] = await this.#database.query(client, statements.readSearchPath, []);
    const [row] = await this.#database.query(client, statements.setSearchPath, [schema]);
    const state = row?.[1] ?? '';
    const guard = new HandlerGuard();
    await this.#database.guarded(
      client,
      async (hooks) => {
        await run({ client: hooks, schema });
      },
      guard,
    );
    try {
      await client.query(this.#database.inline(checkSession, [state]));
    } catch (error) {
      throw sqlStateOf(error) === undefined
        ? error
        : new HandlerError(findSessionChange(error, state) ?? error, 'A hook');
    }
    if (guard.mayHaveTemporary) await client.query('discard temp');
    await this.#database.query(client, statements.useSearchPath, [before?.[0] ?? '']);
  }

  /** Checks early that a build can be replaced. @throws InvalidArgumentError when readers would lose something */
  async assertReplaceable(client: Client, name: string): Promise<void> {
    await this.#readers.assertReplaceable(client, schemaOf(name, 'live'));
  }

  /** Gives a build the name that readers use, and the live build the name of the previous one, which must be gone. */
  async makeLive(client: Client, { name, build, role }: ProjectionBuild): Promise<void> {
    const aside = `${name}__aside`;
    const live = schemaOf(name, 'live');
    const views = await this.#readers.assertReplaceable(client, live);
    await this.#readers.carryGrants(client, live, schemaOf(name, role), role === 'previous');
    await rename(client, schemaOf(name, role), aside);
    await rename(client, live, schemaOf(name, 'previous'));
    await rename(client, aside, live);
    await this.#readers.carryViews(client, live, views);
    await this.#database.query(client, statements.activate, [name, build]);
  }
}

/** Longer names don't fit with the suffixes of the builds that aren't live. */
const maxNameBytes = 48;

/** @throws InvalidArgumentError */
export function assertReadModelName(name: string): void {
  if (utf8Length(name) <= maxNameBytes && !name.startsWith('pg_')) return;
  throw new InvalidArgumentError(
    `The projection '${name}' names the schema of its read model: at most ${maxNameBytes} bytes, and no 'pg_' in front.`,
  );
}

/** Reads the columns store_id, position, applied and rate; and seen_position and seen_id, if they were selected. */
export function progressOf([storeId, position, applied, rate, seenAt, seenId]: SqlRow): ShardProgress {
  return {
    ...(storeId != null && { checkpoint: { storeId, position: Number(position) } }),
    applied: Number(applied),
    rate: Number(rate),
    ...(seenId != null && { lastSeen: { position: Number(seenAt), id: seenId } }),
  };
}

function schemaOf(name: string, role: ProjectionBuild['role']): string {
  return role === 'live' ? name : `${name}__${role}`;
}

async function rename(client: SqlClient, from: string, to: string): Promise<void> {
  await client.query(`alter schema ${quoted(from)} rename to ${quoted(to)}`);
}
