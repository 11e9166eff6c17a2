import { InvalidArgumentError } from '../core/errors/invalid-argument-error.js';
import { describeValue } from '../core/values/describe-value.js';

export const defaultSchema = 'event_store';

/** @throws InvalidArgumentError unless it is a plain lower-case name of at most 63 characters */
export function assertSchemaName(schema: unknown): asserts schema is string {
  if (typeof schema !== 'string' || !/^[a-z_][a-z0-9_]{0,62}$/.test(schema) || schema.startsWith('pg_')) {
    throw new InvalidArgumentError(
      `A schema name is made of a-z, 0-9 and '_', starts with no digit and no 'pg_', and has at most 63 characters; ` +
        `got ${describeValue(schema)}.`,
    );
  }
}

/** Replaces `__schema__` in a text by the quoted name of the schema. */
export function inSchema(text: string, schema: string): string {
  return text.replaceAll('__schema__', `"${schema}"`);
}

/** Quotes any name for SQL. */
export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
