import { InvalidArgumentError } from '../errors/invalid-argument-error.js';
import type { DomainEvent } from '../events/event.js';
import { tellIssues } from '../registry/schema-issues.js';
import { applySchema, type SchemaOutcome, type StandardSchema } from '../registry/standard-schema.js';
import { findJsonFault, type JsonValue } from '../values/json.js';
import { AggregateRoot, type EventsOf } from './aggregate-root.js';
import type { CommandList } from './command-list.js';

/** An aggregate as the target of commands: a class that extends `AggregateRoot`, a decider, or an object with these two fields. */
export interface CommandTarget {
  readonly category: string;
  readonly commands?: CommandList;
}

/** The names of the commands of a class, decider or decision; any string if it lists none. */
export type CommandNameOf<T> = T extends { readonly commands?: infer List }
  ? unknown extends List
    ? string
    : Extract<keyof NonNullable<List>, string>
  : string;

/**
 * The payload of a command: the input of its schema, else the first parameter of the class's method, or the `data` of
 * the decider's or decision's command of this type.
 */
export type CommandPayloadOf<T, Name extends string> =
  Pick<Required<T>, Extract<'commands', keyof T>> extends {
    readonly commands: Readonly<Record<Name, StandardSchema<infer Input>>>;
  }
    ? Input
    : T extends abstract new (id: string) => infer A
      ? Name extends keyof A
        ? A[Name] extends (...args: infer Parameters) => unknown
          ? Parameters extends []
            ? undefined
            : Parameters[0]
          : never
        : unknown
      : T extends { readonly decide: (state: never, command: infer Command) => unknown }
        ? Extract<Command, { readonly type: Name }> extends { readonly data: infer Data }
          ? Data
          : unknown
        : unknown;

/** The event types of a class, decider or decision; any string for a bare category. */
export type EventTypeOf<T> = T extends abstract new (id: string) => infer A
  ? EventsOf<A>['type']
  : T extends {
        readonly evolve: (state: never, event: infer E extends DomainEvent, ...more: never[]) => unknown;
      }
    ? E['type']
    : string;

/** The state of a class or decider as clients get it: what the class's `toSnapshot` returns, or the decider's state. */
export type StateOf<T> = T extends abstract new (id: string) => { toSnapshot(): infer State }
  ? State
  : T extends { initialState(): infer State }
    ? State
    : JsonValue;

/** The outcome of a command that took effect. */
export interface CommandReceipt<EventType extends string = string> {
  /** Version of the stream after the command; of the home stream, after one of a decision. */
  readonly version: number;
  /**
   * The position for `ProjectionClient.waitFor`: a read model that has reached it shows the effect of the command. It
   * is that of the command's last event; if the command changed nothing, that of the stream's last event, or 0 for an
   * empty stream; after one of a decision, that up to which it was decided.
   */
  readonly position: number;
  /** The command's events in order, those of its own stream first; none if it changed nothing. */
  readonly events: readonly { readonly id: string; readonly type: EventType }[];
  /** True if the command had taken effect before. */
  readonly deduplicated: boolean;
}

/** A payload that may be undefined can be omitted. */
export type CommandArguments<Payload, Options> = undefined extends Payload
  ? [payload?: Payload, options?: Options]
  : [payload: Payload, options?: Options];

/**
 * Checks the list of commands: a class has a method of its own for each.
 *
 * @throws {@link InvalidArgumentError}
 */
export function assertCommandList(target: CommandTarget): void {
  for (const [name, schema] of Object.entries(target.commands ?? {})) {
    const isSchema = typeof schema === 'boolean' || '~standard' in schema;
    if (!isSchema) {
      throw new InvalidArgumentError(`The ${describe(target, name)} needs a Standard Schema, or true.`);
    }
    if (typeof target !== 'function') continue;
    const { prototype } = target as unknown as { readonly prototype: Record<string, unknown> };
    if (typeof prototype[name] !== 'function' || name in AggregateRoot.prototype) {
      throw new InvalidArgumentError(`The ${describe(target, name)} is not a method of the class.`);
    }
  }
}

/**
 * Checks that a command is listed, and that its payload is JSON and fits its schema. Synchronous if the schema is.
 *
 * @returns the payload as the schema returns it
 * @throws {@link InvalidArgumentError}
 */
export function checkCommand(target: CommandTarget, name: string, payload: unknown): unknown {
  if (!isListed(target, name)) throw unlisted(target, name);
  const schema = target.commands?.[name];
  assertJsonPayload(target, name, payload);
  if (schema === undefined || typeof schema === 'boolean') return payload;
  const toPayload = (outcome: SchemaOutcome<unknown>): unknown => {
    if ('value' in outcome) return outcome.value;
    const { problem, fields } = tellIssues('payload', outcome.issues);
    throw new InvalidArgumentError(`The payload of the ${describe(target, name)} ${problem}.`, fields);
  };
  const outcome = applySchema(schema, payload);
  return 'then' in outcome ? outcome.then(toPayload) : toPayload(outcome);
}

/** Whether the target lists a command of this name. */
export function isListed({ commands = {} }: CommandTarget, name: string): boolean {
  return Object.hasOwn(commands, name) && commands[name] !== false;
}

/** What is said of a command that the target doesn't list. */
export function unlisted(target: CommandTarget, name: string): InvalidArgumentError {
  const known = Object.keys(target.commands ?? {}).filter((each) => isListed(target, each));
  return new InvalidArgumentError(
    `The ${describe(target, name)} is not in its list of commands: ${known.join(', ') || 'it has none'}.`,
  );
}

/**
 * As {@link checkCommand}, before a command travels: a target that lists no commands leaves their names to the worker.
 *
 * @throws {@link InvalidArgumentError}
 */
export function checkCommandToSend(target: CommandTarget, name: string, payload: unknown): unknown {
  if (target.commands !== undefined) return checkCommand(target, name, payload);
  assertJsonPayload(target, name, payload);
  return payload;
}

function assertJsonPayload(target: CommandTarget, name: string, payload: unknown): void {
  const fault = payload === undefined ? undefined : findJsonFault(payload);
  if (fault === undefined) return;
  throw new InvalidArgumentError(`In the ${describe(target, name)}, payload${fault.path} ${fault.problem}.`);
}

function describe({ category }: CommandTarget, name: string): string {
  return `command '${name}' of ${category}`;
}
