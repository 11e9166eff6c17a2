import { findJsonFault, type JsonValue } from '../values/json.js';
import { EventStoreError, nameErrors, type Fields } from './event-store-error.js';
import { InvalidArgumentError } from './invalid-argument-error.js';

/** A command got no answer in time. It may have taken effect: send it again with the same `commandId`. */
export class CommandOutcomeUnknownError extends EventStoreError {
  static {
    nameErrors(this, 'CommandOutcomeUnknownError');
  }

  declare readonly code: 'COMMAND_OUTCOME_UNKNOWN';
  readonly commandId: string;

  constructor(message: string, fields: Fields<Pick<CommandOutcomeUnknownError, 'commandId'>>) {
    super('COMMAND_OUTCOME_UNKNOWN', message, fields);
    this.commandId = fields.commandId;
  }
}

/**
 * The code of an aggregate threw something other than a {@link DomainError} while it decided a command or built its
 * state, or took too long. Nothing was stored. Fix the code.
 */
export class CommandFailedError extends EventStoreError {
  static {
    nameErrors(this, 'CommandFailedError');
  }

  declare readonly code: 'COMMAND_FAILED';

  constructor(message: string, options?: ErrorOptions) {
    super('COMMAND_FAILED', message, options);
  }
}

/**
 * A business rule said no. Throw it from aggregates and deciders; it is never retried.
 *
 * @example
 * throw new DomainError('The payment is captured already', { reason: 'ALREADY_CAPTURED' });
 */
export class DomainError extends EventStoreError {
  static {
    nameErrors(this, 'DomainError');
  }

  declare readonly code: 'DOMAIN_ERROR';
  /** Your own code for the rule, for programs to compare. */
  readonly reason?: string;
  readonly details?: JsonValue;

  /** @throws {@link InvalidArgumentError} when the details are not JSON */
  constructor(
    message: string,
    options: Fields<{ readonly reason?: string | undefined; readonly details?: JsonValue | undefined }> = {},
  ) {
    super('DOMAIN_ERROR', message, options);
    if (options.reason !== undefined) this.reason = options.reason;
    if (options.details !== undefined) {
      const fault = findJsonFault(options.details);
      if (fault) throw new InvalidArgumentError(`In a DomainError, details${fault.path} ${fault.problem}.`);
      this.details = options.details;
    }
  }
}
