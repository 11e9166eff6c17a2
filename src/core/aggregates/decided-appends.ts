import { InvalidArgumentError } from '../errors/invalid-argument-error.js';
import type { DomainEvent, EventToAppend } from '../events/event.js';
import type { StreamAppend } from '../store/append/multi-stream-appends.js';
import { describeValue } from '../values/describe-value.js';
import { isObject } from '../values/json.js';

/**
 * What a command leads to: events for its own stream, and parts for other streams, which are stored with them as one
 * commit, or not at all.
 *
 * @typeParam Others the events for other streams
 */
export type Decided<E extends DomainEvent, Others extends DomainEvent = E> = readonly (
  EventToAppend<E> | StreamAppend<Others>
)[];

/** The same, told apart. */
export interface DecidedParts<E extends DomainEvent = DomainEvent, Others extends DomainEvent = DomainEvent> {
  readonly own: readonly EventToAppend<E>[];
  readonly others: readonly StreamAppend<Others>[];
}

/** @throws {@link InvalidArgumentError} for what isn't a list, and for a part without a list of events */
export function splitDecided<E extends DomainEvent, Others extends DomainEvent>(
  decided: Decided<E, Others>,
): DecidedParts<E, Others> {
  // In TypeScript it is one; the readonly type is lost in the check.
  const isList: boolean = Array.isArray(decided);
  if (!isList) {
    throw new InvalidArgumentError(
      `'decide' returned ${describeValue(decided)}. It returns the list of the events to append, an empty one when nothing changes.`,
    );
  }
  const own: EventToAppend<E>[] = [];
  const others: StreamAppend<Others>[] = [];
  // What is neither, such as a hole, is left to the store, whose error says so.
  for (const item of decided) {
    if (isPart(item)) others.push(assertHasEvents(item));
    else own.push(item);
  }
  return { own, others };
}

function isPart<Others extends DomainEvent>(
  item: DomainEvent | StreamAppend<Others>,
): item is StreamAppend<Others> {
  return isObject(item) && 'streamId' in item && !('type' in item);
}

/** @throws {@link InvalidArgumentError} */
export function assertHasEvents<E extends DomainEvent>(append: StreamAppend<E>): StreamAppend<E> {
  const isList: boolean = Array.isArray(append.events);
  if (isList) return append;
  throw new InvalidArgumentError(
    `What goes to '${append.streamId}' has no list of events, but ${describeValue(append.events)}.`,
  );
}

/**
 * The parts of the commit of a command, its own stream first: there it is found again.
 *
 * @returns none when nothing changes
 * @throws {@link InvalidArgumentError} when there is something for other streams only, or a part for its own stream
 */
export function toAppends<E extends DomainEvent, Others extends DomainEvent>(
  home: string,
  { own, others }: DecidedParts<E, Others>,
): readonly StreamAppend<E | Others>[] {
  const [first] = others;
  if (own.length === 0) {
    if (first === undefined) return [];
    throw new InvalidArgumentError(
      `A command that appends to '${first.streamId}' must first append to '${home}', its own stream: there it is found again when it is ` +
        `repeated. Let it lead to an event of that stream, too.`,
    );
  }
  if (others.some(({ streamId }) => streamId === home)) {
    throw new InvalidArgumentError(
      `'${home}' is the command's own stream. Give its events by themselves, without the stream.`,
    );
  }
  return [{ streamId: home, events: own }, ...others];
}
