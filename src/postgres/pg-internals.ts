import type { Socket } from 'node:net';
import pg, { type Client, type ClientBase, type ClientConfig, type Pool, type Submittable } from 'pg';
import { InvalidArgumentError } from '../core/errors/invalid-argument-error.js';
import { isObject } from '../core/values/json.js';
import type { SqlRow } from '../sql/sql-port.js';

// All that leans on parts of `pg` which its documentation and types lack. Any of them may be missing, where a client isn't
// `pg`'s own or its version is another: each function looks first, and says what it does then.

interface Connection {
  readonly stream?: Socket;
  on?(event: 'parameterStatus', listener: (message: ParameterStatus) => void): void;
  on?(event: 'error', listener: () => void): void;
}
interface ParameterStatus {
  readonly parameterName: string;
  readonly parameterValue: string;
}

/** By access and not by `in`: what somebody has put around a client may show its parts only so. */
function partsOf(client: object): {
  readonly connection?: unknown;
  readonly readyForQuery?: unknown;
  readonly end?: unknown;
} {
  return client;
}

function connectionOf(client: object): Connection | undefined {
  const { connection } = partsOf(client);
  return isObject(connection) ? connection : undefined;
}

function socketOf(client: object): Socket | undefined {
  const { stream } = connectionOf(client) ?? {};
  return typeof stream?.destroy === 'function' ? stream : undefined;
}

/** What is the same for a client and for what somebody has put around it, where that shows it; else the client. */
export function keyOfClient(client: ClientBase): object {
  return connectionOf(client) ?? client;
}

/**
 * Hears each setting that the server reports.
 *
 * @returns false where that can't be heard
 */
export function onSetting(client: ClientBase, listener: (name: string, value: string) => void): boolean {
  const connection = connectionOf(client);
  if (typeof connection?.on !== 'function') return false;
  connection.on('parameterStatus', ({ parameterName, parameterValue }) => {
    listener(parameterName, parameterValue);
  });
  return true;
}

/** Has the system ask, after so many milliseconds of silence, whether the other end is still there. Without a socket, nobody asks. */
export function keepAlive(client: ClientBase, delay: number): void {
  socketOf(client)?.setKeepAlive(true, delay);
}

/** Ends a connection without a word to the other end, which may not hear it; without a socket, in order. */
export function cutOff(client: ClientBase): void {
  const socket = socketOf(client);
  if (socket !== undefined) socket.destroy();
  else if (typeof partsOf(client).end === 'function') (client as Client).end(() => undefined);
}

/** Cuts a connection off that has failed, which `pg` leaves open where it couldn't authenticate; the server would after a minute. */
export function cutOffOnError(client: ClientBase): void {
  connectionOf(client)?.on?.('error', () => socketOf(client)?.destroy());
}

/** A number that changes whenever something arrives; undefined while the client waits for nothing, or doesn't show it. */
export function progressOf(client: ClientBase): number | undefined {
  const isWaiting = partsOf(client).readyForQuery === false;
  return isWaiting ? socketOf(client)?.bytesRead : undefined;
}

/** The class of a pool's clients; else that of `pg`. */
export function clientClassOf(pool: Pool): new (config?: ClientConfig) => Client {
  const { Client: ClientOfPool } = pool as { readonly Client?: unknown };
  return typeof ClientOfPool === 'function' ? (ClientOfPool as typeof Client) : pg.Client;
}

/** A statement as `pg` takes it, with what a query of its own needs. */
interface QueryConfig {
  readonly text: string;
  readonly values?: readonly unknown[];
  readonly name?: string;
  readonly types: unknown;
  readonly callback: unknown;
}
interface QueryConnection {
  describe: (message: unknown) => void;
}
interface Query extends Submittable {
  binary?: boolean;
  values: unknown;
  name: unknown;
  types: unknown;
  callback: unknown;
  prepare(connection: QueryConnection): void;
}
type QueryClass = new (text: string) => Query;
type RowQueryClass = new (config: QueryConfig, take: (row: SqlRow) => void) => Query;

const rowQueryClasses = new WeakMap<QueryClass, RowQueryClass | undefined>();

/**
 * A query that gives its rows as they arrive; undefined where the client has no such queries, so that the configuration must do.
 *
 * @throws InvalidArgumentError for a client of `pg.native`
 */
export function rowQueryOf(
  client: ClientBase,
  config: QueryConfig,
  take: (row: SqlRow) => void,
): Submittable | undefined {
  // That of the client, which need not be of the `pg` that is found from here.
  const { Query } = client.constructor as { readonly Query?: unknown };
  if (typeof Query !== 'function') return undefined;
  const Class = Query as QueryClass;
  if (!rowQueryClasses.has(Class)) rowQueryClasses.set(Class, rowQueryClass(Class));
  const RowQuery = rowQueryClasses.get(Class);
  return RowQuery && new RowQuery(config, take);
}

/**
 * It leaves out what `pg` does for parsers of types: it asks for no description of the columns, and makes no second row of
 * the first. Reading of events takes 3 % less time without, a single append 6 %.
 */
function rowQueryClass(Query: QueryClass): RowQueryClass | undefined {
  const prototype = Query.prototype as object;
  if (!('handleDataRow' in prototype)) {
    throw new InvalidArgumentError(
      'The clients of the pool are those of pg.native, which gives no text of what it reads. Use the Pool or Client of pg itself.',
    );
  }
  if (!('prepare' in prototype)) return undefined;
  return class extends Query {
    /** For who copies it. */
    readonly rowMode = 'array';
    readonly #take: (row: SqlRow) => void;

    constructor(config: QueryConfig, take: (row: SqlRow) => void) {
      // A text and not the configuration, which `pg` would copy property by property: 2 % of a small read.
      super(config.text);
      this.values = config.values;
      this.name = config.name;
      this.types = config.types;
      this.callback = config.callback;
      this.#take = take;
    }

    override prepare(connection: QueryConnection): void {
      const { describe } = connection;
      connection.describe = nothing;
      // A client that is told `binary: true` has set it.
      this.binary = false;
      try {
        super.prepare(connection);
      } finally {
        connection.describe = describe;
      }
    }

    handleDataRow({ fields }: { readonly fields: SqlRow }): void {
      this.#take(fields);
    }
  };
}

function nothing(): void {
  // Asks for nothing.
}
