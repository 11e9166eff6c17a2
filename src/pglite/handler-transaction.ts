import { isPromise } from '../core/values/is-promise.js';
import type { HandlerGuard } from '../sql/projections/handler-guard.js';
import type { PGliteTransaction } from './pglite-transaction.js';

/** The transaction of PGlite that a handler gets: it refuses calls that a handler must not make. */
export function handlerTransaction(transaction: PGliteTransaction, guard: HandlerGuard): PGliteTransaction {
  const own: Record<PropertyKey, unknown> = {
    query: guarded((text, ...rest) => transaction.query(guard.admit(text), ...(rest as [])), guard),
    exec: guarded((text, ...rest) => transaction.exec(guard.admit(text), ...(rest as [])), guard),
    sql: guarded((strings, ...values) => {
      const text = (strings as unknown as readonly string[]).join('$1');
      if (guard.admit(text) !== text) guard.refuse(text);
      const { sql } = transaction as unknown as { sql: (...args: unknown[]) => Promise<unknown> };
      return sql(strings, ...values);
    }, guard),
    rollback: async () => guard.refuse('rollback()'),
    listen: async () => guard.refuse('listen()'),
  };
  return new Proxy(transaction, {
    get: (target, property) =>
      Object.hasOwn(own, property) ? own[property] : (Reflect.get(target, property, target) as unknown),
  });
}

function guarded(
  send: (text: string, ...rest: unknown[]) => unknown,
  guard: HandlerGuard,
): (...args: [string, ...unknown[]]) => Promise<unknown> {
  return async (...args) => {
    const answered = guard.sent();
    try {
      const answer = send(...args);
      return isPromise(answer) ? await answer : answer;
    } finally {
      answered();
    }
  };
}
