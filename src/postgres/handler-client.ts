import type { PoolClient } from 'pg';
import { isPromise } from '../core/values/is-promise.js';
import { isObject } from '../core/values/json.js';
import type { HandlerGuard } from '../sql/projections/handler-guard.js';

type Callback = (error: unknown, result?: unknown) => void;
/** A query of `pg`, or of a library for it that speaks the protocol itself. */
interface QueryObject {
  readonly text?: unknown;
  readonly submit?: unknown;
  readonly callback?: unknown;
  /** The cursor of `pg-cursor`, in a stream. */
  readonly cursor?: { readonly text?: unknown };
}

/**
 * The client that a handler gets: the transaction's, but it refuses calls that a handler must not make. Releasing it
 * does nothing, so that a library may treat it like a pool's.
 */
export function handlerClient(client: PoolClient, guard: HandlerGuard): PoolClient {
  const own: Record<PropertyKey, unknown> = {
    query: guardedQuery(client, guard),
    release: () => undefined,
    end: () => guard.refuse('client.end()'),
  };
  const bound = new Map<unknown, unknown>();
  return new Proxy(client, {
    get(target, property) {
      if (Object.hasOwn(own, property)) return own[property];
      const value: unknown = Reflect.get(target, property, target);
      if (typeof value !== 'function' || property === 'constructor') return value;
      if (!bound.has(value)) bound.set(value, (value as (...args: unknown[]) => unknown).bind(target));
      return bound.get(value);
    },
  });
}

function guardedQuery(client: PoolClient, guard: HandlerGuard): (...args: unknown[]) => unknown {
  const send = client.query.bind(client) as (...args: unknown[]) => unknown;
  return (...args) => {
    const [query] = args;
    const { text, submit, cursor, callback }: QueryObject = isObject(query) ? query : { text: query };
    const said = typeof text === 'string' ? text : cursor?.text;
    // A query that speaks the protocol itself can't be given another text.
    if (typeof submit === 'function') {
      if (typeof said === 'string' && guard.admit(said) !== said) guard.refuse(said);
      return send(...args);
    }
    const place = args.findIndex((each) => typeof each === 'function');
    const whoAsks = (place === -1 ? callback : args[place]) as Callback | undefined;
    const answered = guard.sent();
    const takes = (...answer: Parameters<Callback>): void => {
      answered();
      whoAsks?.(...answer);
    };
    try {
      const admitted = typeof said === 'string' ? guard.admit(said) : said;
      const changed = admitted !== said || typeof callback === 'function';
      if (changed) {
        args[0] = isObject(query)
          ? { ...query, text: admitted, ...(callback !== undefined && { callback: takes }) }
          : admitted;
      }
      if (place !== -1) args[place] = takes;
      const answer = send(...args);
      if (isPromise(answer)) answer.then(answered, answered);
      return answer;
    } catch (error) {
      answered();
      if (whoAsks === undefined) {
        return Promise.reject(error instanceof Error ? error : new Error(String(error)));
      }
      whoAsks(error);
      return undefined;
    }
  };
}
