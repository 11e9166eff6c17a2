import { findJsonFault } from '../values/json.js';
import { applicationFailureMarks, toPayloadOfWorkflow } from './sdk-internals.js';

/** Prefix of the `type` of an `ApplicationFailure` that carries an error of this library. */
export const failureTypePrefix = 'temporal-event-store.';

/** Marks our errors across copies of the package (ESM and CJS, bundle and host), where `instanceof` fails. */
const errorBrand = Symbol.for('temporal-event-store/error');

/** Names the library's class of an error, on its prototype: a user's subclass may have another `name`. */
export const errorClassName = Symbol.for('temporal-event-store/error-class');

/** What every `EventStoreError` has, by its prototype. */
export interface CrossingError extends Error {
  readonly code: string;
  /** The three that an `ApplicationFailure` has. */
  readonly type: string;
  readonly nonRetryable: boolean;
  readonly category: 'BENIGN' | 'UNSPECIFIED';
  readonly [errorClassName]?: string;
}

/** Another attempt of the same call may go through. */
export const retryableCodes = [
  'RETRY_LATER',
  'STORE_UNAVAILABLE',
  'STORE_OVERLOADED',
  'STORE_CLOSED',
] as const;

/** Category BENIGN of `temporal.api.enums.v1.ApplicationErrorCategory`: expected, not worth an error in the worker's log. */
const benign = 1;

/**
 * Makes errors with this prototype cross Temporal by themselves, wherever they are thrown: in a workflow, an update
 * handler or an activity, with the plugin or without it. Temporal's SDK knows its failures by symbols on the prototype,
 * and sends `error.failure` (the protobuf message, which a received failure keeps) as it stands. So both are defined
 * here, and `core` needs neither the SDK nor a wrapper around the user's code. See docs/decisions/0003.
 */
export function crossesTemporal(prototype: Error): void {
  Object.defineProperties(prototype, {
    [errorBrand]: { value: true },
    ...Object.fromEntries(applicationFailureMarks.map((mark) => [mark, { value: true }])),
    type: property('type', (error) => failureTypePrefix + String(error[errorClassName])),
    nonRetryable: property(
      'nonRetryable',
      ({ code }) => !(retryableCodes as readonly string[]).includes(code),
    ),
    category: property('category', ({ code }) => (code === 'DOMAIN_ERROR' ? 'BENIGN' : 'UNSPECIFIED')),
    failure: property('failure', toFailureMessage),
  });
}

/**
 * The fields of an error that cross with it, by the names of its class's constructor. What a user's subclass adds and
 * JSON can't hold stays behind; it must not keep the error from crossing.
 */
export function crossingFields(error: CrossingError): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(error).filter(
      ([key, value]) =>
        !['name', 'message', 'stack', 'cause'].includes(key) && findJsonFault(value) === undefined,
    ),
  );
}

/** Derived from the error until it is set, as `ApplicationFailure.fromError` does. */
function property(name: string, get: (error: CrossingError) => unknown): PropertyDescriptor {
  return {
    get(this: CrossingError) {
      return get(this);
    },
    set(this: CrossingError, value: unknown) {
      Object.defineProperty(this, name, { value, writable: true, configurable: true });
    },
    configurable: true,
  };
}

/**
 * `temporal.api.failure.v1.Failure`. Without the cause, whose message would bypass a failure converter that encodes
 * messages: the SDK calls it for the outermost error only.
 */
function toFailureMessage(error: CrossingError): object {
  const { message, stack = '', type, nonRetryable, category } = error;
  return {
    message: message.toWellFormed(),
    source: 'TypeScriptSDK',
    stackTrace: stack.replace(/^.*?\n(?= {4}at )/s, '').toWellFormed(),
    applicationFailureInfo: {
      type,
      nonRetryable,
      category: category === 'BENIGN' ? benign : 0,
      details: { payloads: [toPayload(crossingFields(error))] },
    },
  };
}

/** True for an error of another copy of the package, too. */
export function isOurs(error: object): error is CrossingError {
  return (error as { [errorBrand]?: unknown })[errorBrand] === true;
}

/**
 * `temporal.api.common.v1.Payload`, made by the workflow's own payload converter where there is one: a user's may not
 * read anything else. Elsewhere it is `json/plain`, which every SDK reads.
 */
function toPayload(value: unknown): object {
  return (
    toPayloadOfWorkflow(value) ?? {
      metadata: { encoding: toUtf8('json/plain') },
      data: toUtf8(JSON.stringify(value)),
    }
  );
}

function toUtf8(text: string): Uint8Array {
  const ascii = text.replace(
    /[\u0080-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return Uint8Array.from(ascii, (character) => character.charCodeAt(0));
}
