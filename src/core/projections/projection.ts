import { InvalidArgumentError } from '../errors/invalid-argument-error.js';
import type { DomainEvent, RecordedEvent } from '../events/event.js';
import type { EventFilter } from '../store/event-store.js';
import { normalizeFilters } from '../store/filter.js';
import {
  validatedElsewhere,
  assertOptions,
  integerFrom,
  isFunction,
  isName,
  isPlainObject,
  oneOf,
} from '../store/options.js';
import { defaultPageBytes } from '../store/read-options.js';
import { defaultHandlerTimeout, inTime, isHandlerTimeout } from './handler-timeout.js';
import type { ProjectionSink } from './projection-sink.js';

/** What is done with an event, by its type. */
export type ProjectionHandlers<E extends DomainEvent, Context> = {
  readonly [Type in E['type']]?: (event: RecordedEvent<EventOfType<E, Type>>, context: Context) => unknown;
};

/** The events of a type, also where one event is defined with several; any event where the types aren't known. */
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
  /** Raise it when handlers or tables change, and rebuild. Default 1. */
  readonly version?: number;
  /**
   * Tells this definition from another of the same version, of which the read model may have other tables: say, a hash of the statements
   * of `init`. A live read model that was made with another is then an error until the version is raised, instead of one in a
   * handler. At most 1,000 bytes. Absent: not compared.
   */
  readonly fingerprint?: string;
  /** Which events it wants. Default: those of the types that have a handler; with `handlePage`, all. */
  readonly filter?: EventFilter<E['type']> | readonly EventFilter<E['type']>[];
  /** Called one after the other, in order; an event of a type without a handler is passed over. */
  readonly handlers?: ProjectionHandlers<E, Context>;
  /** Instead of `handlers`: called with the events of a page, for writes in bulk. */
  readonly handlePage?: (events: readonly RecordedEvent<E>[], context: Context) => unknown;
  /**
   * Where the read model is. Default: anywhere; the handlers then get an event again after a crash, and tell by its `id`
   * that they had it.
   */
  readonly sink?: ProjectionSink<Context>;
  /** Makes an empty read model: creates its tables, for example. */
  readonly init?: (context: Context) => unknown;
  /** Clears away what a read model has outside its sink, before it is dropped or rebuilt in place. */
  readonly reset?: (context: Context) => unknown;
  /** Looks at a rebuilt read model before readers get it; throws when it isn't right. */
  readonly verify?: (context: Context) => unknown;
  /**
   * What becomes of an event whose handler still throws after `maxAttempts`. `stop` (default): the projection stops and
   * waits for an operator. `park`: the event, and those that follow in its stream, are parked for an operator, and the
   * projection goes on.
   */
  readonly onPoison?: 'stop' | 'park';
  /** How often a handler is tried on an event, with pauses that grow from 100 ms to 5 s. Default 5. */
  readonly maxAttempts?: number;
  /**
   * Milliseconds for a call of a handler, `handlePage` or `publish`. One that takes longer counts as one that threw, and may still be
   * under way: it can't be ended. What it does then moves nothing. Default 60,000.
   */
  readonly handlerTimeout?: number;
  /**
   * Parts that are projected side by side, told apart by the stream. With a sink, kept for the life of a build; without one,
   * another number is taken up by the next deploy. Default 1.
   */
  readonly shards?: number;
  /** Most events in one transaction of the sink. Default 500. */
  readonly pageSize?: number;
  /**
   * Most bytes of JSON in one transaction of the sink, of the data, metadata and tags of its events; a single event may have
   * more. A page is read while the one before is written, by each shard. Default 4,000,000.
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
  /** Whether it writes nothing into its sink, so that a part of a page may be done. */
  readonly publishes?: true;
  readonly handle: (events: readonly RecordedEvent<E>[], context: Context) => Promise<void>;
}

/** A projection of any events into any sink. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- a registry holds projections of every event and sink
export type AnyProjection = Projection<any, any>;

/**
 * Declares a projection: a read model that is made of events, in order.
 *
 * @throws InvalidArgumentError for a missing, unknown or malformed option, or for 'park' without a sink
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
 * A projection that is handled in a way of its own.
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

/** Whether something was made by {@link defineProjection}, as far as can be seen. */
export function isProjection(value: unknown): value is AnyProjection {
  const { name, version, handle } = (value ?? {}) as Partial<AnyProjection>;
  return typeof name === 'string' && typeof version === 'number' && typeof handle === 'function';
}
