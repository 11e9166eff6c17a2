import type { ClientBase } from 'pg';
import { cutOff, keepAlive, keyOfClient, onSetting } from './pg-internals.js';

/** What is known of a client and the server that it leads to. */
export interface ClientFacts {
  /** When it was made, by `performance.now()`; 0 where nobody saw it. */
  readonly since: number;
  /** Whether its server is a standby; undefined where the server hasn't said. */
  isStandby: boolean | undefined;
  /** Whether its server takes writes by default. */
  isReadOnly: boolean | undefined;
}

/** Milliseconds of silence after which the system asks whether the other end is still there. */
const keepAliveDelay = 10_000;

const known = new WeakMap<object, ClientFacts>();

export function isWatched(client: ClientBase): boolean {
  return known.has(keyOfClient(client));
}

/**
 * Begins to watch a client, once for all its life: its loss must not end the process, whoever has it, and what its server
 * says of itself is written down. PostgreSQL 14 and newer say so when a connection begins and when it changes.
 */
export function watchClient(client: ClientBase, since: number): ClientFacts {
  const before = known.get(keyOfClient(client));
  if (before !== undefined) return before;
  const facts: ClientFacts = { since, isStandby: undefined, isReadOnly: undefined };
  known.set(keyOfClient(client), facts);
  // `pg` tells the client of its loss, beside the statement that runs on it, and an event that nobody hears is thrown.
  client.on('error', ignoreLoss);
  onSetting(client, (name, value) => {
    if (name === 'in_hot_standby') facts.isStandby = value === 'on';
    if (name === 'default_transaction_read_only') facts.isReadOnly = value === 'on';
  });
  keepAlive(client, keepAliveDelay);
  return facts;
}

/** Leaves a client, such as an object of somebody else that stands for it once, to those who watch it besides. */
export function unwatchClient(client: ClientBase): void {
  known.delete(keyOfClient(client));
  client.off('error', ignoreLoss);
}

/** Milliseconds that a connection gets to end in order. */
const farewell = 2_000;

/** Cuts a connection off that has been told to end, if it hasn't by then: its other end may not hear. */
export function cutOffLater(client: ClientBase): void {
  setTimeout(cutOff, farewell, client).unref();
}

function ignoreLoss(): void {
  // The next statement says so.
}
