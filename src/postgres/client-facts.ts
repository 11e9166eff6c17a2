import type { ClientBase } from 'pg';
import { cutOff, keepAlive, keyOfClient, onSetting } from './pg-internals.js';

/** Facts about a client and the server that it leads to. */
export interface ClientFacts {
  /** When the client was made, by `performance.now()`; 0 if that wasn't seen. */
  readonly since: number;
  /** Whether its server is a standby; undefined if the server hasn't said. */
  isStandby: boolean | undefined;
  /** Whether its server takes writes by default. */
  isReadOnly: boolean | undefined;
}

/** Milliseconds of silence after which the operating system probes the other end. */
const keepAliveDelay = 10_000;

const known = new WeakMap<object, ClientFacts>();

export function isWatched(client: ClientBase): boolean {
  return known.has(keyOfClient(client));
}

/**
 * Watches a client for its whole life: its loss must not end the process, whoever uses it, and the settings that its
 * server reports are recorded. PostgreSQL 14 and newer report them when a connection begins and when they change.
 */
export function watchClient(client: ClientBase, since: number): ClientFacts {
  const before = known.get(keyOfClient(client));
  if (before !== undefined) return before;
  const facts: ClientFacts = { since, isStandby: undefined, isReadOnly: undefined };
  known.set(keyOfClient(client), facts);
  // `pg` reports a loss by an event too, beside failing the statement, and an error event that nobody hears is thrown.
  client.on('error', ignoreLoss);
  onSetting(client, (name, value) => {
    if (name === 'in_hot_standby') facts.isStandby = value === 'on';
    if (name === 'default_transaction_read_only') facts.isReadOnly = value === 'on';
  });
  keepAlive(client, keepAliveDelay);
  return facts;
}

/** Stops watching a client, such as a foreign wrapper that is used once; other watchers of the client go on. */
export function unwatchClient(client: ClientBase): void {
  known.delete(keyOfClient(client));
  client.off('error', ignoreLoss);
}

/** Milliseconds that a connection gets to end in order. */
const farewell = 2_000;

/** Cuts off a connection that hasn't ended in order by then: its other end may not hear. */
export function cutOffLater(client: ClientBase): void {
  setTimeout(cutOff, farewell, client).unref();
}

function ignoreLoss(): void {
  // The next statement reports the loss.
}
