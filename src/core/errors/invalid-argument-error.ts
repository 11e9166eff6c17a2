import { EventStoreError, nameErrors, type Fields } from './event-store-error.js';
import type { SchemaIssue } from './schema-issue.js';

/** A call that can't be right: an unknown option, a wrong type, a malformed name. */
export class InvalidArgumentError extends EventStoreError {
  static {
    nameErrors(this, 'InvalidArgumentError');
  }

  declare readonly code: 'INVALID_ARGUMENT';
  /** Where and why the payload of a command does not fit its schema: the first 10. */
  declare readonly issues?: readonly SchemaIssue[];
  /** How many there are beside `issues`. */
  declare readonly moreIssues?: number;

  constructor(message: string, fields: Fields<Pick<InvalidArgumentError, 'issues' | 'moreIssues'>> = {}) {
    super('INVALID_ARGUMENT', message, fields);
    if (fields.issues !== undefined) this.issues = fields.issues;
    if (fields.moreIssues !== undefined) this.moreIssues = fields.moreIssues;
  }
}
