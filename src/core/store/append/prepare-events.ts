import { EventTooLargeError, InvalidEventError } from '../../errors/event-errors.js';
import { InvalidArgumentError } from '../../errors/invalid-argument-error.js';
import type { EventMetadata, EventToAppend } from '../../events/event.js';
import { isPlainObject } from '../../options/options.js';
import { describeValue } from '../../values/describe-value.js';
import { findJsonFault, formatPathSegment, isObject, utf8Length } from '../../values/json.js';
import { findNameProblem } from '../../values/name.js';
import { parseTimestamp } from '../../values/timestamp.js';

/** Most bytes of JSON in one commit, unless a store is told otherwise. Temporal carries payloads of 2 MiB. */
export const defaultMaxCommitBytes = 2_000_000;

/** An event that is checked and ready to be stored or sent: `data` and `metadata` are JSON text. */
export interface PreparedEvent {
  readonly type: string;
  readonly schemaVersion: number;
  readonly data: string;
  readonly metadata: string;
  readonly correlationId: string | undefined;
  readonly tags: readonly string[];
  /** ISO 8601 in UTC; undefined leaves it to the store's clock. */
  readonly occurredAt: string | undefined;
}

/**
 * Checks the events of a commit and turns them into what is stored, so that a caller that goes on changing its objects
 * changes nothing here.
 *
 * @param metadata merged under each event's own
 * @param place where the events stand in the call, for the paths in errors
 * @throws InvalidArgumentError when there are none · InvalidEventError · EventTooLargeError
 */
export function prepareEvents(
  events: readonly EventToAppend[],
  metadata: EventMetadata | undefined,
  maxBytes: number = defaultMaxCommitBytes,
  place = 'events',
): readonly PreparedEvent[] {
  if (!Array.isArray(events)) {
    throw new InvalidArgumentError(`${place} must be an array, not ${describeValue(events)}.`);
  }
  if (events.length === 0) throw new InvalidArgumentError(`${place} is empty: there is nothing to append.`);
  if (metadata !== undefined) assertJson(metadata, 'metadata');
  const prepared: PreparedEvent[] = [];
  // By index: map would step over a hole.
  for (let index = 0; index < events.length; index++) {
    prepared.push(prepareEvent(events[index] as EventToAppend, metadata, `${place}[${index}]`));
  }
  assertCommitSize(prepared, maxBytes);
  return prepared;
}

/** @throws EventTooLargeError */
export function assertCommitSize(events: readonly PreparedEvent[], maxBytes: number): void {
  // Few commits come near the limit, and counting bytes takes longer than the rest of the checks.
  if (sum(events, mostJsonBytes) <= maxBytes) return;
  const size = sum(events, jsonBytes);
  if (size <= maxBytes) return;
  throw new EventTooLargeError(
    `The commit is ${size} bytes of JSON, more than ${maxBytes}. Store large content elsewhere and refer to it.`,
    { size, limit: maxBytes },
  );
}

const eventKeys: readonly string[] = ['type', 'data', 'schemaVersion', 'metadata', 'tags', 'occurredAt'];
const namedMetadata = ['correlationId', 'causationId', 'actor', 'workflowId', 'runId'] as const;

function prepareEvent(event: EventToAppend, shared: EventMetadata | undefined, path: string): PreparedEvent {
  if (!isObject(event)) throw invalidEvent(path, `is ${describeValue(event)}, not an event`);
  for (const key of Object.keys(event)) {
    if (!eventKeys.includes(key) && event[key as keyof EventToAppend] !== undefined) {
      throw invalidEvent(path + formatPathSegment(key), 'would be dropped; put it into data or metadata');
    }
  }
  const { type, data, schemaVersion = 1, tags = [], occurredAt } = event;
  const typeProblem = findNameProblem(type);
  if (typeProblem !== undefined) throw invalidEvent(`${path}.type`, typeProblem);
  if (!Number.isSafeInteger(schemaVersion) || schemaVersion < 1 || schemaVersion > 0x7fffffff) {
    throw invalidEvent(`${path}.schemaVersion`, 'must be a positive 32-bit integer');
  }
  assertJson(data, `${path}.data`);
  const metadata = prepareMetadata(event.metadata, shared, `${path}.metadata`);
  assertTags(tags, `${path}.tags`);
  let time: string | undefined;
  if (occurredAt !== undefined) {
    const parsed = parseTimestamp(occurredAt);
    if ('problem' in parsed) throw invalidEvent(`${path}.occurredAt`, parsed.problem);
    time = parsed.iso;
  }
  return {
    type,
    schemaVersion,
    data: JSON.stringify(data),
    metadata: JSON.stringify(metadata),
    correlationId: metadata.correlationId,
    tags: [...tags],
    occurredAt: time,
  };
}

function prepareMetadata(
  own: EventMetadata | undefined,
  shared: EventMetadata | undefined,
  path: string,
): EventMetadata {
  if (own !== undefined) {
    if (isPlainObject(own) !== undefined) {
      throw invalidEvent(path, `must be an object, not ${describeValue(own)}`);
    }
    assertJson(own, path);
  }
  const metadata = shared === undefined ? (own ?? {}) : { ...shared, ...withoutUndefined(own) };
  for (const key of namedMetadata) {
    const value: unknown = metadata[key];
    if (value !== undefined && typeof value !== 'string') {
      throw invalidEvent(`${path}.${key}`, 'must be a string');
    }
  }
  if (metadata.correlationId !== undefined) {
    const problem = findNameProblem(metadata.correlationId);
    if (problem !== undefined) throw invalidEvent(`${path}.correlationId`, problem);
  }
  return metadata;
}

/** What is undefined is absent: it must not hide what is shared. */
function withoutUndefined(metadata: EventMetadata = {}): EventMetadata {
  return Object.fromEntries(Object.entries(metadata).filter(([, value]) => value !== undefined));
}

function assertTags(tags: readonly string[], path: string): void {
  if (!Array.isArray(tags)) throw invalidEvent(path, `must be an array, not ${describeValue(tags)}`);
  // By index: forEach would step over a hole.
  for (let index = 0; index < tags.length; index++) {
    const problem = findNameProblem(tags[index]);
    if (problem !== undefined) throw invalidEvent(`${path}[${index}]`, problem);
  }
}

/** @throws InvalidEventError */
export function assertJson(value: unknown, path: string): void {
  const fault = findJsonFault(value);
  if (fault !== undefined) throw invalidEvent(path + fault.path, fault.problem);
}

export function invalidEvent(path: string, problem: string): InvalidEventError {
  return new InvalidEventError(`${path} ${problem}.`, { path });
}

function jsonBytes(event: PreparedEvent): number {
  const { type, schemaVersion, tags, occurredAt } = event;
  const rest = JSON.stringify({ type, schemaVersion, tags, occurredAt, data: 0, metadata: 0 });
  return utf8Length(rest) + utf8Length(event.data) + utf8Length(event.metadata) - 2;
}

/** An upper bound: no character takes more than 3 bytes in UTF-8, of the escapes in a name none more than 2. */
function mostJsonBytes({ type, tags, data, metadata }: PreparedEvent): number {
  const namesAndKeys = 200 + tags.length * 3;
  return namesAndKeys + 3 * (type.length + sum(tags, (tag) => tag.length) + data.length + metadata.length);
}

function sum<T>(values: readonly T[], sizeOf: (value: T) => number): number {
  return values.reduce((total, value) => total + sizeOf(value), 0);
}
