import { utf8Length } from './json.js';

/** The longest a stream id, event type, tag, commit id or correlation id may be, in UTF-8 bytes: they are index keys. */
const maxNameBytes = 1000;

/** What keeps a value from being a name that every store can index; undefined when it is one. */
export function findNameProblem(value: unknown): string | undefined {
  if (typeof value !== 'string') return `must be a string, not ${value === null ? 'null' : typeof value}`;
  if (value === '') return 'is empty';
  if (!value.isWellFormed()) return 'has a lone surrogate, which is not valid Unicode';
  if (/\p{Cc}/u.test(value)) return 'has a control character';
  // A short text can't be too long in bytes; saves counting.
  if (value.length * 3 > maxNameBytes && utf8Length(value) > maxNameBytes) {
    return `is ${utf8Length(value)} bytes long, more than ${maxNameBytes}`;
  }
  return undefined;
}
