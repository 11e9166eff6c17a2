import type { DomainError } from '../errors/command-errors.js';
import { findEventStoreError } from '../errors/error-recognition.js';
import type { DomainEvent, RecordedEvent } from '../events/event.js';
import {
  validatedElsewhere,
  assertOptions,
  isFunction,
  isName,
  integerFrom,
  isPlainObject,
  type OptionCheck,
} from '../options/options.js';
import { inTime } from '../projections/handler-timeout.js';
import {
  projectionOf,
  type EventOfType,
  type Projection,
  type ProjectionDefinition,
} from '../projections/projection.js';
import type { EventFilter } from '../store/event-store.js';
import {
  checkConsequence,
  type ConsequenceOrigin,
  type CommandToSend,
  type Consequences,
  type ReactionPort,
} from './consequences.js';
import { defaultMaxDepth, depthOf } from './reaction-depth.js';

export interface ReactionDefinition<E extends DomainEvent = DomainEvent> extends Pick<
  ProjectionDefinition,
  'maxAttempts' | 'handlerTimeout' | 'shards'
> {
  /**
   * Names the reaction in its Temporal namespace. Ids derive from it: under another name every consequence happens
   * again.
   */
  readonly name: string;
  /** The types of the events that it reacts to. */
  readonly on: E['type'] | readonly E['type'][];
  /** Further conditions on the events. Default: none. */
  readonly filter?: Omit<EventFilter, 'types'>;
  /** Returns the consequences of an event. It must return the same for the same event, since it may be called again. */
  readonly handle: (event: RecordedEvent<E>) => Consequences | Promise<Consequences>;
  /**
   * Returns the consequences when a rule of the aggregate refuses a command; there may be none. Without `onRejected`
   * the reaction stops at the event. It also stops when one of these commands is refused in turn.
   */
  readonly onRejected?: (
    rejection: CommandRejection,
    event: RecordedEvent<E>,
  ) => Consequences | Promise<Consequences>;
  /**
   * Most reactions that may lead to a command, one after the other. A reaction that feeds itself, or two that feed each
   * other, stop at the event that would exceed it. From 10 on there are warnings. Default 100.
   */
  readonly maxDepth?: number;
}

/** A reaction to one event type: its handlers get events of that type only. */
export type ReactionToOne<E extends DomainEvent = DomainEvent> = {
  readonly [Type in E['type']]: Omit<ReactionDefinition<EventOfType<E, Type>>, 'on'> & { readonly on: Type };
}[E['type']];

/** A refused command, and the error that refused it. */
export interface CommandRejection {
  readonly command: CommandToSend;
  readonly error: DomainError;
}

/** A projection that carries out consequences instead of writing a read model. Make one with {@link defineReaction}. */
export type Reaction<E extends DomainEvent = DomainEvent> = Projection<E, ReactionPort>;

/**
 * Declares a reaction: events start workflows, each once, and send commands, each of which takes effect once. It runs
 * as a projection does.
 *
 * @throws {@link InvalidArgumentError} for a missing, unknown or malformed option
 * @example
 * const receipts = defineReaction<PaymentEvent>({
 *   name: 'receipts',
 *   on: 'PaymentCaptured',
 *   handle: ({ streamId, data }) =>
 *     startWorkflow<typeof sendReceipt>('sendReceipt', { args: [streamId, data.amount] }),
 * });
 */
export function defineReaction<E extends DomainEvent = DomainEvent>(
  definition: ReactionToOne<E>,
): Reaction<E>;
export function defineReaction<E extends DomainEvent = DomainEvent>(
  // eslint-disable-next-line @typescript-eslint/unified-signatures -- as one, no handler would know its event
  definition: ReactionDefinition<E>,
): Reaction<E>;
export function defineReaction<E extends DomainEvent>(definition: ReactionDefinition<E>): Reaction<E> {
  assertOptions(
    'defineReaction',
    definition,
    {
      name: isName,
      on: isTypes,
      filter: isRestOfFilter,
      handle: isFunction,
      onRejected: isFunction,
      // Checked by defineProjection.
      maxAttempts: validatedElsewhere,
      handlerTimeout: validatedElsewhere,
      maxDepth: integerFrom(1),
      shards: validatedElsewhere,
    },
    ['name', 'on', 'handle'],
  );
  const { on, filter, handle: _, onRejected: __, maxDepth: ___, ...rest } = definition;
  return projectionOf<E, ReactionPort>(
    {
      ...rest,
      filter: { ...filter, types: typeof on === 'string' ? [on] : on },
      // A checkpoint behind each event: after a crash, a command that was refused is decided again.
      pageSize: 1,
    },
    (handlerTimeout) => async (events, port) => {
      for (const event of events) await react(definition, handlerTimeout, event, port);
    },
  );
}

/** What is asked of the user, and each consequence, has a time-out of its own: those of a list may take long together. */
async function react<E extends DomainEvent>(
  { name, handle, onRejected, maxDepth = defaultMaxDepth }: ReactionDefinition<E>,
  handlerTimeout: number,
  event: RecordedEvent<E>,
  port: ReactionPort,
): Promise<void> {
  const depth = depthOf(event) + 1;
  const carryOut = async (
    consequences: Consequences,
    placeOf: (index: number) => string,
    reject: ((rejection: CommandRejection, place: string) => Promise<void>) | undefined,
  ): Promise<void> => {
    for (const [index, consequence] of listOf(consequences).map(checkConsequence).entries()) {
      const place = placeOf(index);
      const origin: ConsequenceOrigin = { reaction: name, event, place, depth };
      if ('startWorkflow' in consequence) {
        const starting = port.startWorkflow(consequence.startWorkflow, origin);
        await inTime(handlerTimeout, `Starting a workflow of '${name}'`, starting);
        continue;
      }
      const command = consequence.sendCommand;
      if (depth > maxDepth) throw tooDeep(name, maxDepth);
      try {
        const sending = port.sendCommand(command, origin);
        await inTime(handlerTimeout, `The command '${command.name}' of '${name}'`, sending);
      } catch (failure) {
        const error = findEventStoreError(failure, 'DOMAIN_ERROR');
        if (error === undefined || reject === undefined) throw failure;
        await reject({ command, error }, place);
      }
    }
  };
  await carryOut(
    await inTime(handlerTimeout, `'handle' of '${name}'`, handle(event)),
    String,
    onRejected &&
      (async (rejection, place) => {
        const result = onRejected(rejection, event);
        const consequences = await inTime(handlerTimeout, `'onRejected' of '${name}'`, result);
        return carryOut(consequences, (index) => `${place}/rejected/${index}`, undefined);
      }),
  );
}

function tooDeep(name: string, maxDepth: number): Error {
  return new Error(
    `${maxDepth} reactions led to this event, one after the other: '${name}' feeds itself, or reactions feed each other. ` +
      `Skip the event to end it; where that is meant, raise 'maxDepth'.`,
  );
}

function listOf(consequences: Consequences): readonly unknown[] {
  if (consequences === undefined) return [];
  return Array.isArray(consequences) ? (consequences as readonly unknown[]) : [consequences];
}

const isRestOfFilter: OptionCheck = (value) =>
  isPlainObject(value) ?? ('types' in (value as object) ? `without 'types', which 'on' says` : undefined);
const isTypes: OptionCheck = (value) =>
  isName(value) === undefined || (Array.isArray(value) && value.length > 0)
    ? undefined
    : 'an event type, or a list of at least one';
