import type { NormalFilter } from '../../core/store/read/filter.js';
import { contains, eq, ge, le } from '../operators.js';
import { arrayOf, type SqlValue } from '../sql-port.js';
import { sqlTime } from '../sql-time.js';

/** Collects the values of a statement and gives each its `$n`. */
export class Parameters {
  readonly values: SqlValue[] = [];

  add(value: SqlValue): string {
    return `$${this.values.push(value)}`;
  }
}

/** A condition for `where` that holds for every event that any of the filters takes. */
export function filterCondition(
  filters: readonly NormalFilter[] | undefined,
  parameters: Parameters,
): string {
  if (filters === undefined) return 'true';
  return `(${filters.map((filter) => conditionOf(filter, parameters)).join(' or ')})`;
}

/**
 * The part of the condition that the index of the tags can find alone; undefined if a filter has no tags.
 *
 * Each tag appears twice: PostgreSQL assumes that the conditions are independent and so expects few rows, for which it
 * uses the index, unless it knows that very many events carry the tag.
 */
export function tagCondition(
  filters: readonly NormalFilter[] | undefined,
  parameters: Parameters,
): string | undefined {
  if (filters === undefined || filters.some(({ tags }) => tags === undefined)) return undefined;
  return filters
    .map(({ tags = [] }) => {
      const has = `tags ${contains} ${parameters.add(arrayOf('text', tags))}::pg_catalog.text[]`;
      return `(${has} and ${has})`;
    })
    .join(' or ');
}

function conditionOf(filter: NormalFilter, parameters: Parameters): string {
  const { types, categories, tags, correlationId, occurredFrom, occurredTo } = filter;
  const conditions = [
    types && oneOf('type', types, parameters),
    categories && oneOf('category', categories, parameters),
    tags && `tags ${contains} ${parameters.add(arrayOf('text', tags))}::pg_catalog.text[]`,
    correlationId !== undefined && `correlation_id ${eq} ${parameters.add(correlationId)}`,
    occurredFrom !== undefined &&
      `occurred_at ${ge} ${parameters.add(sqlTime(occurredFrom))}::pg_catalog.timestamptz`,
    occurredTo !== undefined &&
      `occurred_at ${le} ${parameters.add(sqlTime(occurredTo))}::pg_catalog.timestamptz`,
  ].filter((condition) => typeof condition === 'string');
  return conditions.length === 0 ? 'true' : `(${conditions.join(' and ')})`;
}

/** With a single value, PostgreSQL knows that the index gives the order too. */
function oneOf(column: string, values: readonly string[], parameters: Parameters): string {
  const [only] = values;
  return values.length === 1 && only !== undefined
    ? `${column} ${eq} ${parameters.add(only)}`
    : `${column} ${eq} any (${parameters.add(arrayOf('text', values))}::pg_catalog.text[])`;
}
