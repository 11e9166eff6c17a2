import { CommandFailedError } from '../../core/errors/command-errors.js';
import { findEventStoreError } from '../../core/errors/error-recognition.js';
import type { EventStoreError } from '../../core/errors/event-store-error.js';
import { crossingFields, isOurs } from '../../core/errors/temporal-failure.js';
import type { JsonValue } from '../../core/values/json.js';

/** An error of this library as plain JSON, in the shape of an `ApplicationFailure`. */
export interface ErrorMessage {
  readonly type: string;
  readonly message: string;
  readonly details: readonly JsonValue[];
}

/** Turns an error of this library into plain JSON. */
export function toErrorMessage(error: EventStoreError): ErrorMessage {
  if (!isOurs(error)) throw error;
  return { type: error.type, message: error.message, details: [crossingFields(error) as JsonValue] };
}

/** Turns the JSON back into the typed error. */
export function fromErrorMessage(message: ErrorMessage): EventStoreError {
  return findEventStoreError(message) ?? new CommandFailedError(message.message);
}
