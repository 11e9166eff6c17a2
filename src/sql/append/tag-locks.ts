import { arrayOf, type SqlValue } from '../sql-port.js';
import { maxTagLocks, type AppendMember } from './append-member.js';

/** The call that locks tags: the first of its statement. Without any tags, the statement is shorter. */
export const lockTags = (parameter: number): string =>
  `__schema__.lock_tags($${parameter}::pg_catalog.text[], $${parameter + 1}::pg_catalog.text[], $${parameter + 2}::integer)`;

/** The values of {@link lockTags}: shared and exclusive tags, and the scope; none if no tag is locked. */
export function lockValues(members: readonly AppendMember[]): readonly SqlValue[] {
  const shared = new Set<string>();
  const exclusive = new Set<string>();
  for (const { tags } of members) {
    for (const tag of tags.shared) shared.add(tag);
    for (const tag of tags.exclusive) exclusive.add(tag);
  }
  const isOfAll = members.some(({ tags }) => tags.isOfAll);
  if (shared.size + exclusive.size === 0 && !isOfAll) return [];
  const isConditional = exclusive.size > 0;
  // Beside a condition, the lock of many tags doesn't stand for the tags.
  const isCoarse = isOfAll || (isConditional && shared.size + exclusive.size > maxTagLocks);
  return [
    arrayOf('text', [...shared]),
    isConditional ? arrayOf('text', [...exclusive]) : null,
    isCoarse ? lockScopes.all : isConditional ? lockScopes.condition : lockScopes.tags,
  ];
}

/** The scopes of `lock_tags`. */
const lockScopes = { tags: 0, condition: 1, all: 2 };
