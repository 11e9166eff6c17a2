import type { SchemaIssue } from '../errors/schema-issue.js';
import { formatPathSegment, isObject } from '../values/json.js';
import type { StandardSchemaIssue } from './standard-schema.js';

/** Most issues that an error tells one by one, and most characters of each. An error travels, and somebody has to read it. */
const maxIssues = 10;
const maxLength = 300;

/** The part of an error that reports the issues of a schema. */
export interface ToldIssues {
  /** `does not fit its schema: Too low (at payload.amount); Required (at payload.currency); and 3 more` */
  readonly problem: string;
  readonly fields: { readonly issues: readonly SchemaIssue[]; readonly moreIssues?: number };
}

/** @param place of the value, such as `payload` */
export function tellIssues(place: string, found: readonly StandardSchemaIssue[]): ToldIssues {
  const given: readonly StandardSchemaIssue[] = found.length > 0 ? found : [{ message: 'no reason given' }];
  const issues = given.slice(0, maxIssues).map(({ message, path = [] }) => ({
    path: cut(place + path.map(toSegment).join('')),
    message: cut(message),
  }));
  const moreIssues = given.length - issues.length;
  const told = issues.map(({ path, message }) => `${message} (at ${path})`);
  if (moreIssues > 0) told.push(`and ${moreIssues} more`);
  return {
    problem: `does not fit its schema: ${told.join('; ')}`,
    fields: { issues, ...(moreIssues > 0 && { moreIssues }) },
  };
}

function toSegment(part: PropertyKey | { readonly key: PropertyKey }): string {
  return formatPathSegment(isObject(part) ? part.key : toIndex(part));
}

function toIndex(key: PropertyKey): PropertyKey {
  return typeof key === 'string' && /^\d+$/.test(key) ? Number(key) : key;
}

function cut(text: string): string {
  return text.length > maxLength ? `${text.slice(0, maxLength)}…` : text;
}
