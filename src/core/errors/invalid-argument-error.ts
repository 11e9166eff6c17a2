import { EventStoreError, nameErrors, type Fields } from './event-store-error.js';
import type { SchemaIssue } from './schema-issue.js';

/** The call is wrong: an unknown option, a wrong type, a malformed name, a command that isn't listed. */
export class InvalidArgumentError extends EventStoreError {
  static {
    nameErrors(this, 'InvalidArgumentError');
  }

  declare readonly code: 'INVALID_ARGUMENT';
  /** The first 10 places where the payload of a command does not fit its schema. Absent for other faults. */
  declare readonly issues?: readonly SchemaIssue[];
  /** The number of faults beyond `issues`. */
  declare readonly moreIssues?: number;

  constructor(message: string, fields: Fields<Pick<InvalidArgumentError, 'issues' | 'moreIssues'>> = {}) {
    super('INVALID_ARGUMENT', message, fields);
    if (fields.issues !== undefined) this.issues = fields.issues;
    if (fields.moreIssues !== undefined) this.moreIssues = fields.moreIssues;
  }
}
