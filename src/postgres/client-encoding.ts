import type { ClientBase } from 'pg';
import { InvalidArgumentError } from '../core/errors/invalid-argument-error.js';
import { within } from './no-answer.js';
import { keyOfClient, onSetting } from './pg-internals.js';
import { readRows } from './row-query.js';

/** The encoding of each of the caller's clients. The server reports every change. */
const encodings = new WeakMap<object, string>();

const readEncoding = `select pg_catalog.current_setting('client_encoding')`;

/**
 * `pg` writes and reads UTF-8, and asks for it when it connects. If a session is set to another encoding later, the
 * server misreads each text, and stores or returns a wrong one.
 *
 * @param timeout milliseconds within which the server must answer
 * @throws InvalidArgumentError
 */
export async function assertUtf8(client: ClientBase, timeout: number): Promise<void> {
  const key = keyOfClient(client);
  let encoding = encodings.get(key);
  if (encoding === undefined) {
    encoding = (await within(timeout, readRows(client, { text: readEncoding })))[0]?.[0] ?? '?';
    // If changes can't be heard, the encoding is read each time.
    if (encodings.has(key) || watch(client)) encodings.set(key, encoding);
  }
  if (encoding === 'UTF8') return;
  throw new InvalidArgumentError(
    `client_encoding is ${encoding} on a connection of yours: texts would be stored and read as others than they are. Leave it at UTF8.`,
  );
}

function watch(client: ClientBase): boolean {
  return onSetting(client, (name, value) => {
    if (name === 'client_encoding') encodings.set(keyOfClient(client), value);
  });
}
