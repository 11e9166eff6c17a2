import { InvalidArgumentError } from '../errors/invalid-argument-error.js';
import type { DomainEvent, RecordedEvent } from '../events/event.js';
import {
  validatedElsewhere,
  assertOptions,
  integerFrom,
  isFunction,
  isName,
  isPlainObject,
  oneOf,
} from '../options/options.js';
import type { EventFilter } from '../store/event-store.js';
import { normalizeFilters } from '../store/read/filter.js';
import { defaultPageBytes } from '../store/read/read-options.js';
import { defaultHandlerTimeout, inTime, isHandlerTimeout } from './handler-timeout.js';
import type { ProjectionSink } from './projection-sink.js';

/** Handlers by event type. */
export type ProjectionHandlers<E extends DomainEvent, Context> = {
  readonly [Type in E['type']]?: (event: RecordedEvent<EventOfType<E, Type>>, context: Context) => unknown;
};

/** The events of a type, even if one event is defined with several types; any event if the types aren't known. */
export type EventOfType<E extends DomainEvent, Type> = string extends E['type']
  ? E
  : E extends { readonly type: Type }
    ? E
    : Type extends E['type']
      ? E & { readonly type: Type }
      : never;

export interface ProjectionDefinition<E extends DomainEvent = DomainEvent, Context = unknown> {
  /** Names the projection, and in an SQL sink the schema of its read model. */
  readonly name: string;
  /** Raise it when handlers, tables or upcasters change, and rebuild. Default 1. */
  readonly version?: number;
  /**
   * Identifies the tables of this version, for example by a hash of the statements of `init`. If the live read model
   * was made with another fingerprint, the projection fails until the version is raised, instead of failing in a
   * handler. At most 1,000 bytes. Default: not compared.
   */
  readonly fingerprint?: string;
  /** The events that it wants. Default: those of the types that have a handler; with `handlePage`, all. */
  readonly filter?: EventFilter<E['type']> | readonly EventFilter<E['type']>[];
  /** Called one after the other, in order. An event of a type without a handler is skipped. */
  readonly handlers?: ProjectionHandlers<E, Context>;
  /** Instead of `handlers`: called with all events of a page, for bulk writes. */
  readonly handlePage?: (events: readonly RecordedEvent<E>[], context: Context) => unknown;
  /**
   * Keeps the read model and the checkpoint. Default: none; the read model may be anywhere, and after a crash handlers
   * may get an event again, which they recognise by its `id`.
   */
  readonly sink?: ProjectionSink<Context>;
  /** Makes an empty read model, for example creates its tables. */
  readonly init?: (context: Context) => unknown;
  /** Removes what a read model has outside its sink, before it is dropped or rebuilt in place. */
  readonly reset?: (context: Context) => unknown;
  /** Checks a rebuilt read model before readers get it; throws if it is wrong. */
  readonly verify?: (context: Context) => unknown;
  /**
   * What happens to an event whose handler still throws after `maxAttempts`. `stop` (default): the projection is
   * `blocked` until an operator decides. `park`: the event, and those that follow in its stream, are parked for an
   * operator, and the projection goes on; it needs a `sink`.
   */
  readonly onPoison?: 'stop' | 'park';
  /** How often an event is tried, with pauses that grow from 100 ms to 5 s. Default 5. */
  readonly maxAttempts?: number;
  /**
   * Milliseconds for a call of a handler, `handlePage` or `publish`. A longer call counts as one that threw. It can't
   * be ended and may still run, but moves no checkpoint. Default 60,000.
   */
  readonly handlerTimeout?: number;
  /**
   * Number of parts that are projected side by side; a stream belongs to one of them. With a sink it is fixed for a
   * build; without one, a new number takes effect with the next deploy. Default 1.
   */
  readonly shards?: number;
  /** Most events in one transaction of the sink. Default 500. */
  readonly pageSize?: number;
  /**
   * Most bytes of JSON in one transaction of the sink, counted over data, metadata and tags; a single event may be
   * larger. Each shard reads a page while it writes the one before. Default 4,000,000.
   */
  readonly pageBytes?: number;
}

/** A projection with its defaults, made by {@link defineProjection}. */
export interface Projection<E extends DomainEvent = DomainEvent, Context = unknown> extends Omit<
  ProjectionDefinition<E, Context>,
  'handlers' | 'handlePage' | 'filter'
> {
  readonly version: number;
  readonly onPoison: 'stop' | 'park';
  readonly maxAttempts: number;
  readonly handlerTimeout: number;
  readonly shards: number;
  readonly pageSize: number;
  readonly pageBytes: number;
  readonly filter: readonly EventFilter[] | undefined;
  /** Present if it writes nothing into its sink, so that part of a page may be done. */
  readonly publishes?: true;
  readonly handle: (events: readonly RecordedEvent<E>[], context: Context) => Promise<void>;
}

/** A projection of any events into any sink. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- a registry holds projections of every event and sink
export type AnyProjection = Projection<any, any>;

/**
 * Declares a projection, which turns events into a read model, in order.
 *
 * @throws {@link InvalidArgumentError} for a missing, unknown or malformed option, or for 'park' without a sink
 * @example
 * const deposits = defineProjection<Deposited, SqlProjectionContext>({
 *   name: 'deposits',
 *   sink,
 *   init: ({ client }) => client.query('create table deposit (account text, amount bigint)'),
 *   handlers: {
 *     Deposited: ({ streamId, data }, { client }) =>
 *       client.query('insert into deposit values ($1, $2)', [streamId, data.amount]),
 *   },
 * });
 */
export function defineProjection<E extends DomainEvent = DomainEvent, Context = unknown>(
  definition: ProjectionDefinition<E, Context>,
): Projection<E, Context> {
  return projectionOf(definition, (handlerTimeout) => pageHandler(definition, handlerTimeout));
}

/**
 * A projection whose pages are handled by `handlerOf`.
 *
 * @param handlerOf called when the options are known to be right
 * @throws InvalidArgumentError as {@link defineProjection} does
 */
export function projectionOf<E extends DomainEvent, Context>(
  definition: ProjectionDefinition<E, Context>,
  handlerOf: (handlerTimeout: number) => Projection<E, Context>['handle'],
): Projection<E, Context> {
  assertOptions(
    'defineProjection',
    definition,
    {
      name: isName,
      version: integerFrom(1),
      fingerprint: isName,
      filter: validatedElsewhere,
      handlers: isPlainObject,
      handlePage: isFunction,
      sink: isPlainObject,
      init: isFunction,
      reset: isFunction,
      verify: isFunction,
      onPoison: oneOf('stop', 'park'),
      maxAttempts: integerFrom(1),
      handlerTimeout: isHandlerTimeout,
      shards: integerFrom(1),
      pageSize: integerFrom(1),
      pageBytes: integerFrom(1),
    },
    ['name'],
  );
  const { handlers, handlePage: _, filter, handlerTimeout = defaultHandlerTimeout, ...rest } = definition;
  if (rest.onPoison === 'park' && rest.sink === undefined) {
    throw new InvalidArgumentError(
      `The projection '${rest.name}' has no sink to park events in: with onPoison 'park' it needs one.`,
    );
  }
  const types = handlers && Object.keys(handlers);
  return {
    version: 1,
    onPoison: 'stop',
    maxAttempts: 5,
    handlerTimeout,
    shards: 1,
    pageSize: 500,
    pageBytes: defaultPageBytes,
    ...rest,
    filter: normalizeFilters(filter ?? (types && { types })),
    handle: handlerOf(handlerTimeout),
  };
}

function pageHandler<E extends DomainEvent, Context>(
  { name, handlers, handlePage }: ProjectionDefinition<E, Context>,
  handlerTimeout: number,
): Projection<E, Context>['handle'] {
  if ((handlers === undefined) === (handlePage === undefined)) {
    throw new InvalidArgumentError(`The projection '${name}' needs either 'handlers' or 'handlePage'.`);
  }
  if (handlePage !== undefined) {
    return async (events, context) => {
      await inTime(handlerTimeout, `'handlePage' of '${name}'`, handlePage(events, context));
    };
  }
  const byType = new Map<string, (event: RecordedEvent<E>, context: Context) => unknown>();
  for (const [type, handler] of Object.entries(handlers as object)) {
    if (typeof handler !== 'function') {
      throw new InvalidArgumentError(
        `The projection '${name}' has no function for the event type '${type}'.`,
      );
    }
    byType.set(type, handler as (event: RecordedEvent<E>, context: Context) => unknown);
  }
  return async (events, context) => {
    for (const event of events) {
      const result = byType.get(event.type)?.(event, context);
      await inTime(handlerTimeout, `'${event.type}' of '${name}'`, result);
    }
  };
}

/** Whether a value looks like a projection made by {@link defineProjection}. */
export function isProjection(value: unknown): value is AnyProjection {
  const { name, version, handle } = (value ?? {}) as Partial<AnyProjection>;
  return typeof name === 'string' && typeof version === 'number' && typeof handle === 'function';
}
