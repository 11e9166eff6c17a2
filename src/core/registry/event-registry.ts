import { EventTooNewError, InvalidEventError } from '../errors/event-errors.js';
import { InvalidArgumentError } from '../errors/invalid-argument-error.js';
import type { DomainEvent, EventToAppend, RecordedEvent } from '../events/event.js';
import {
  assertOptions,
  integerFrom,
  isFunction,
  isPlainObject,
  type OptionCheck,
} from '../options/options.js';
import { invalidEvent } from '../store/append/prepare-events.js';
import { whenKnown } from '../values/is-promise.js';
import { formatPathSegment, isObject } from '../values/json.js';
import { findNameProblem } from '../values/name.js';
import { tellIssues } from './schema-issues.js';
import { applySchema, type StandardSchema, type StandardSchemaIssue } from './standard-schema.js';

/**
 * Turns the data of one schema version into the data of the next. Synchronous; the schema doesn't check what it
 * returns.
 */
export type Upcaster = (data: never, event: RecordedEvent) => unknown;

/** One event type: the present shape of its data, and how to get there from each older shape. */
export interface EventDefinition {
  /** Version of the present shape. Default 1. */
  readonly schemaVersion?: number;
  /**
   * Checks and may change the data of new events. Any Standard Schema, for example of zod, valibot or arktype. Default:
   * any JSON.
   */
  readonly schema?: StandardSchema;
  /** Upcasters by older version: each leads to the version after it, and none may be missing. */
  readonly upcast?: Readonly<Record<number, Upcaster>>;
}

/** Definitions by event type. */
export type EventDefinitions = Readonly<Record<string, EventDefinition>>;

/** The event types of an application. Make one with {@link defineEvents} or {@link mergeEvents}. */
export class EventRegistry<D extends EventDefinitions = Record<string, EventDefinition>> {
  readonly definitions: D;

  /** @internal */
  constructor(definitions: D) {
    this.definitions = definitions;
  }

  /** The event types that it lists. A copy by `{ ...registry }` doesn't have this getter, and is refused. */
  get types(): readonly string[] {
    return Object.keys(this.definitions);
  }
}

/** @throws {@link InvalidArgumentError} for a copy, or anything else that isn't a registry */
export function assertRegistry(call: string, registry: EventRegistry): void {
  // Known by what it has, as it may be of another copy of this package.
  if (Array.isArray((registry as Partial<EventRegistry> | null | undefined)?.types)) return;
  throw new InvalidArgumentError(
    `${call} takes a registry that defineEvents or mergeEvents has made, as it is. A copy such as { ...a, ...b } holds the events of ` +
      `the last one only: several are put together by mergeEvents(a, b).`,
  );
}

/** The union of the events of a registry: `type PaymentEvent = InferEvents<typeof paymentEvents>`. */
export type InferEvents<R extends EventRegistry> = {
  [Type in keyof R['definitions'] & string]: DomainEvent<Type, DataOf<R['definitions'][Type]>>;
}[keyof R['definitions'] & string];

/** The union of the events of a registry as they are appended, before their schemas fill in defaults or change data. */
export type InferNewEvents<R extends EventRegistry> = {
  [Type in keyof R['definitions'] & string]: DomainEvent<Type, InputOf<R['definitions'][Type]>>;
}[keyof R['definitions'] & string];

type InputOf<D> = D extends { readonly schema: StandardSchema<infer Input, unknown> } ? Input : unknown;
type DataOf<D> = D extends { readonly schema: StandardSchema<unknown, infer Output> } ? Output : unknown;

/**
 * Declares event types with their schemas and upcasters, for `withEvents`.
 *
 * @throws {@link InvalidArgumentError} when an older version has no upcaster
 * @example
 * const events = defineEvents({
 *   PaymentCaptured: {
 *     schemaVersion: 2,
 *     schema: z.object({ amount: z.number(), currency: z.string() }),
 *     upcast: { 1: (data: { amount: number }) => ({ ...data, currency: 'EUR' }) },
 *   },
 * });
 */
export function defineEvents<const D extends EventDefinitions>(definitions: D): EventRegistry<D> {
  for (const [type, definition] of Object.entries(definitions)) {
    const problem = findNameProblem(type);
    if (problem !== undefined) {
      throw new InvalidArgumentError(`The event type ${JSON.stringify(type)} ${problem}.`);
    }
    assertOptions(`the definition of '${type}'`, definition, {
      schemaVersion: integerFrom(1),
      schema: isStandardSchema,
      upcast: isPlainObject,
    });
    const { schemaVersion = 1, upcast = {} } = definition;
    for (let version = 1; version < schemaVersion; version++) {
      if (typeof upcast[version] !== 'function') {
        throw new InvalidArgumentError(
          `'${type}' is at schemaVersion ${schemaVersion} but has no upcaster from ${version}.`,
        );
      }
    }
    const stray = Object.keys(upcast).find(
      (version) => !(Number(version) >= 1 && Number(version) < schemaVersion),
    );
    if (stray !== undefined) {
      throw new InvalidArgumentError(
        `'${type}' has an upcaster from ${stray}, but is at schemaVersion ${schemaVersion}.`,
      );
    }
  }
  return new EventRegistry(definitions);
}

/**
 * A new event with its data as the schema returns it (defaults filled in) and the present schema version. Synchronous
 * if the schema is.
 */
export function validateEvent(
  { definitions }: EventRegistry,
  event: EventToAppend,
  path: string,
): EventToAppend | Promise<EventToAppend> {
  if (!isObject(event)) return event;
  const definition = Object.hasOwn(definitions, event.type) ? definitions[event.type] : undefined;
  if (definition === undefined) {
    throw invalidEvent(`${path}.type`, `is '${event.type}', which defineEvents doesn't list`);
  }
  const { schema, schemaVersion = 1 } = definition;
  if (event.schemaVersion !== undefined && event.schemaVersion !== schemaVersion) {
    throw invalidEvent(
      `${path}.schemaVersion`,
      `is ${event.schemaVersion}, but '${event.type}' is at ${schemaVersion}`,
    );
  }
  if (schema === undefined) return { ...event, schemaVersion };
  return whenKnown(applySchema(schema, event.data), (result) => {
    if ('issues' in result) throw unfitEvent(`${path}.data`, result.issues);
    const dropped = findDropped(event.data, result.value);
    if (dropped !== undefined) {
      throw invalidEvent(
        `${path}.data${dropped}`,
        'would be dropped by the schema; take it out, or add it to the schema',
      );
    }
    return { ...event, data: result.value, schemaVersion };
  });
}

/** A recorded event in its present shape. Events of types that the registry doesn't list stay as they are. */
export function upcastEvent({ definitions }: EventRegistry, event: RecordedEvent): RecordedEvent {
  const definition = Object.hasOwn(definitions, event.type) ? definitions[event.type] : undefined;
  const { schemaVersion = 1, upcast = {} } = definition ?? { schemaVersion: event.schemaVersion };
  if (event.schemaVersion === schemaVersion) return event;
  const place = `'${event.type}' in '${event.streamId}', version ${event.version},`;
  if (event.schemaVersion > schemaVersion) {
    throw new EventTooNewError(
      `${place} has schemaVersion ${event.schemaVersion}, but this process knows up to ${schemaVersion}; deploy the newer definition.`,
      {
        streamId: event.streamId,
        version: event.version,
        eventType: event.type,
        schemaVersion: event.schemaVersion,
        knownSchemaVersion: schemaVersion,
      },
    );
  }
  let { data } = event;
  for (let version = event.schemaVersion; version < schemaVersion; version++) {
    try {
      data = (upcast[version] as (data: unknown, event: RecordedEvent) => unknown)(data, event);
    } catch (cause) {
      throw new InvalidEventError(
        `${place} can't be upcast from schemaVersion ${version}: ${String(cause)}`,
        {
          path: 'data',
          cause,
        },
      );
    }
  }
  return { ...event, data, schemaVersion };
}

const isStandardSchema: OptionCheck = (value) => {
  // Some libraries make their schemas functions.
  const isSchema = (isObject(value) || isFunction(value) === undefined) && '~standard' in (value as object);
  return isSchema ? undefined : 'a Standard Schema';
};

function unfitEvent(place: string, found: readonly StandardSchemaIssue[]): InvalidEventError {
  const { problem, fields } = tellIssues(place, found);
  return new InvalidEventError(`${place} ${problem}.`, { path: fields.issues[0]?.path ?? place, ...fields });
}

/** The path of a property that a schema dropped from an object: schemas of zod and valibot strip by default. */
function findDropped(given: unknown, kept: unknown): string | undefined {
  // What the schema passed on untouched is not walked: it may be a cycle, for the store to refuse.
  if (given === kept || !isObject(given) || !isObject(kept)) return undefined;
  for (const [key, value] of Object.entries(given)) {
    if (value === undefined) continue;
    const segment = formatPathSegment(Array.isArray(given) ? Number(key) : key);
    if (!Object.hasOwn(kept, key)) return segment;
    const below = findDropped(value, (kept as Record<string, unknown>)[key]);
    if (below !== undefined) return segment + below;
  }
  return undefined;
}
