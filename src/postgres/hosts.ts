import { InvalidArgumentError } from '../core/errors/invalid-argument-error.js';
import type { ClientFacts } from './client-facts.js';

/** The wanted servers, in the terms of libpq's `target_session_attrs`. */
type Target = 'any' | 'primary' | 'read-write';
const targets: readonly string[] = ['any', 'primary', 'read-write'] satisfies Target[];

/**
 * The servers that a connection string names. All connections of a store use the same one, until it turns out to be the
 * wrong one.
 */
export class Hosts {
  readonly #connectionStrings: readonly string[];
  readonly #target: Target;
  #current = 0;

  /**
   * @throws InvalidArgumentError for a `target_session_attrs` other than those of a primary · TypeError when the
   *   connection string is malformed
   */
  constructor(connectionString: string) {
    const { head, hosts, tail } = splitHosts(connectionString);
    this.#connectionStrings =
      hosts.length > 1 ? hosts.map((host) => `${head}${host}${tail}`) : [connectionString];
    const target =
      parametersOf(tail).get('target_session_attrs') ?? (hosts.length > 1 ? 'read-write' : 'any');
    if (!isTarget(target)) {
      throw new InvalidArgumentError(
        `target_session_attrs is '${target}': events are appended, and read in order, on the primary. Use ${targets.join(', ')}, or leave it out.`,
      );
    }
    this.#target = target;
  }

  get count(): number {
    return this.#connectionStrings.length;
  }

  get all(): readonly string[] {
    return this.#connectionStrings;
  }

  get current(): string {
    return this.#connectionStrings[this.#current] as string;
  }

  /** Moves on to the next server, unless another connection has done so already. */
  moveOnFrom(connectionString: string): void {
    if (connectionString === this.current) this.#current = (this.#current + 1) % this.count;
  }

  /** Why the connected server isn't a wanted one; undefined if it is. */
  refusalOf({ isStandby = false, isReadOnly = false }: ClientFacts): string | undefined {
    if (this.#target === 'any') return undefined;
    if (isStandby) return 'The server is a standby';
    return isReadOnly && this.#target === 'read-write' ? 'The server is read-only' : undefined;
  }
}

function isTarget(target: string): target is Target {
  return targets.includes(target);
}

/** `postgres://user:password@` `a:5432` `b:5432` `/database?parameters`, also where the hosts are a parameter. */
function splitHosts(connectionString: string): { head: string; hosts: readonly string[]; tail: string } {
  const match = /^(\w+:\/\/)([^/?#]*)(.*)$/s.exec(connectionString);
  if (match === null) return { head: '', hosts: [], tail: connectionString };
  const [, scheme = '', authority = '', rest = ''] = match;
  const userEnd = authority.lastIndexOf('@') + 1;
  const head = scheme + authority.slice(0, userEnd);
  const written = authority.slice(userEnd);
  const parameters = parametersOf(rest);
  const named = parameters.get('host')?.split(',') ?? [];
  if (named.length < 2) return { head, hosts: written === '' ? [] : written.split(','), tail: rest };

  const ports = parameters.get('port')?.split(',') ?? [];
  for (const name of ['host', 'port']) parameters.delete(name);
  const path = rest.split('?', 1)[0] ?? '';
  const hosts = named.map((host, index) => withPort(host, ports[index] ?? ports[0]));
  return { head, hosts, tail: `${path}?${parameters.toString()}` };
}

function withPort(host: string, port: string | undefined): string {
  return port === undefined ? host : `${host}:${port}`;
}

function parametersOf(tail: string): URLSearchParams {
  return new URLSearchParams(tail.split('?')[1] ?? '');
}
