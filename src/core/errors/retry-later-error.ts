import { EventStoreError, nameErrors, type Fields } from './event-store-error.js';
import { InvalidArgumentError } from './invalid-argument-error.js';

/**
 * Throw it from a handler or a publisher when no event is to blame: the receiver can't be reached, or is too busy. The
 * projection keeps its place, is `waiting`, and tries again for as long as it takes.
 *
 * @example
 * throw new RetryLaterError("The broker can't be reached", { retryAfter: 5_000 });
 */
export class RetryLaterError extends EventStoreError {
  static {
    nameErrors(this, 'RetryLaterError');
  }

  declare readonly code: 'RETRY_LATER';
  /** Milliseconds until the next attempt. Default: pauses that grow from 200 ms to 30 s. */
  readonly retryAfter?: number;
  /**
   * How many events of the page, from the first, a publisher has published: they don't come again. Ignored outside of
   * publishers. Default 0.
   */
  readonly done?: number;

  /** @throws {@link InvalidArgumentError} when a field is not a number from 0 */
  constructor(
    message: string,
    fields: Fields<{ readonly retryAfter?: number | undefined; readonly done?: number | undefined }> = {},
  ) {
    super('RETRY_LATER', message, fields);
    for (const [name, value] of Object.entries({ retryAfter: fields.retryAfter, done: fields.done })) {
      if (value !== undefined && !(Number.isFinite(value) && value >= 0)) {
        throw new InvalidArgumentError(`The '${name}' of a RetryLaterError must be a number from 0.`);
      }
    }
    if (fields.retryAfter !== undefined) this.retryAfter = fields.retryAfter;
    if (fields.done !== undefined) this.done = fields.done;
  }
}
