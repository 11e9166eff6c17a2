import { InvalidArgumentError } from '../../core/errors/invalid-argument-error.js';
import { isObject } from '../../core/values/json.js';
import { at, framed } from './framed-statement.js';

/** A character that no name contains. */
const separator = '\u001f';
const mark = 'temporal-event-store:';

/** The parts of the session that a handler must leave as the sink has set them, with their names for errors. */
const parts: readonly (readonly [name: string, expression: string])[] = [
  ['nothing', `'${mark}'`],
  ['the transaction', 'pg_catalog.txid_current()'],
  ['session authorization', 'session_user'],
  ['role', 'current_user'],
  ['search_path', `pg_catalog.current_setting('search_path')`],
  ['client_encoding', `pg_catalog.current_setting('client_encoding')`],
  ['transaction_read_only', `pg_catalog.current_setting('transaction_read_only')`],
];

/** The state that a handler must leave as it is, as one text. */
export const sessionState = `pg_catalog.concat_ws(pg_catalog.chr(31), ${parts.map(([, expression]) => expression).join(', ')})`;

/**
 * Fails unless the state is still `$1`: any other state is no number. Releases the session locks that a handler has
 * left; a connection that was free has no others.
 */
export const checkSession = framed`select pg_catalog.replace(${sessionState}, ${at(1)}, '0')::pg_catalog.int4, pg_catalog.pg_advisory_unlock_all()`;

const changes = new WeakSet();

/** Whether the error says that a session has changed, so that nobody else should get it. */
export function isSessionChange(error: unknown): boolean {
  if (!isObject(error)) return false;
  return (
    changes.has(error) ||
    changes.has(Object((error as Error).cause) as object) ||
    messageOf(error).includes(mark)
  );
}

/** Describes the change, if the error is that of {@link checkSession}. @param before the state before the change */
export function findSessionChange(error: unknown, before: string): InvalidArgumentError | undefined {
  const message = messageOf(error);
  const found = message.indexOf(mark);
  if (found === -1) return undefined;
  const after = message.slice(found).split(separator);
  const changed = parts
    .map(([name]) => name)
    .filter((_, index) => {
      const [one = '', other = ''] = [before.split(separator)[index], after[index]];
      // The message ends with a quote, which depends on the server's language.
      return index === parts.length - 1 ? !other.startsWith(one) : one !== other;
    });
  const change = new InvalidArgumentError(
    changed.includes('the transaction')
      ? `It ended the sink's transaction: what it wrote before may be stored without its checkpoint. Leave begin, commit and rollback to the sink.`
      : `It changed ${changed.join(' and ')}, and didn't change it back: what is applied after it would be written elsewhere, or as somebody else.`,
  );
  changes.add(change);
  return change;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : '';
}
