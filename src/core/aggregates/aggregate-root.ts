import { InvalidArgumentError } from '../errors/invalid-argument-error.js';
import { copyEvent, frozenEvent } from '../events/copy-event.js';
import type { DomainEvent, EventToAppend, RecordedEvent } from '../events/event.js';
import type { StreamAppend } from '../store/append/multi-stream-appends.js';
import type { StoredForm } from '../store/append/stored-form.js';
import { isPromise } from '../values/is-promise.js';
import type { JsonValue } from '../values/json.js';
import { assertIsSynchronous } from './assert-is-synchronous.js';
import type { CommandList } from './command-list.js';
import { withAppend } from './other-appends.js';

/** A class that extends {@link AggregateRoot} and names its category. */
export interface AggregateClass<A extends AggregateRoot = AggregateRoot> {
  new (id: string): A;
  /** First part of the ids of its streams. */
  readonly category: string;
  /**
   * Version of what {@link AggregateRoot.toSnapshot} returns; raise it when its shape or meaning changes. Declaring it
   * also says that snapshots hold the whole state, so that command lanes may make them automatically. Default: 1,
   * without automatic snapshots.
   */
  readonly snapshotVersion?: number;
  /** The methods that clients may send as commands. Default: none. */
  readonly commands?: CommandList;
}

/** The events that an aggregate raises and applies. */
export type EventsOf<A> = A extends AggregateRoot<infer E> ? E : never;

/** Called by the repository with what is stored. A symbol, so that a user's class can't collide with it. */
export const replay = Symbol.for('temporal-event-store/replay');
/** Called by the repository with a snapshot. */
export const restore = Symbol.for('temporal-event-store/restore');
/** Called by the repository with what the store will make of the events that are raised. */
export const raiseAs = Symbol.for('temporal-event-store/raise-as');
/** Called by the repository when it has stored other data than was applied. */
export const outdate = Symbol.for('temporal-event-store/outdate');
/** Called by the repository before it keeps the state. */
export const assertIsCurrent = Symbol.for('temporal-event-store/assert-is-current');

/**
 * An aggregate whose state follows from its events. A command is a method that checks the rules and raises events. Only
 * `apply` changes the state, so that a replay gives the same state.
 *
 * @example
 * class Account extends AggregateRoot<Deposited> {
 *   static readonly category = 'Account';
 *   balance = 0;
 *   deposit(amount: number) {
 *     if (amount <= 0) throw new DomainError('An amount is positive');
 *     this.raise({ type: 'Deposited', data: { amount } });
 *   }
 *   protected apply(event: Deposited) {
 *     this.balance += event.data.amount;
 *   }
 * }
 */
export abstract class AggregateRoot<E extends DomainEvent = DomainEvent> {
  #version = 0;
  #uncommittedEvents: EventToAppend<E>[] = [];
  #uncommittedAppends: readonly StreamAppend[] = [];
  #storedForm: StoredForm | undefined;
  #isOutdated = false;

  constructor(readonly id: string) {}

  /** Version of the last committed event; 0 when nothing is committed yet. */
  get version(): number {
    return this.#version;
  }

  /** The events that were raised since the aggregate was loaded or saved. They are frozen. */
  get uncommittedEvents(): readonly EventToAppend<E>[] {
    return [...this.#uncommittedEvents];
  }

  /**
   * What goes to other streams together with the uncommitted events; one for each stream. Their events are frozen.
   */
  get uncommittedAppends(): readonly StreamAppend[] {
    return this.#uncommittedAppends;
  }

  /**
   * Call it after you have appended the events yourself: the version grows by the number of uncommitted events, and
   * their list is emptied, as is that for other streams. A repository does so in `save`.
   */
  markEventsAsCommitted(): void {
    this.#version += this.#uncommittedEvents.length;
    this.#uncommittedEvents = [];
    this.#uncommittedAppends = [];
  }

  /**
   * The state as JSON, for snapshots and for `AggregateClient.state`. By default the aggregate's own data fields,
   * without its `id`. Override it and `restoreSnapshot` for `#private` fields and fields that JSON can't hold.
   */
  toSnapshot(): JsonValue {
    return Object.fromEntries(Object.entries(this).filter(isDataField));
  }

  /**
   * Restores a state that `toSnapshot` returned. By default, data fields that the state doesn't have become undefined.
   */
  restoreSnapshot(state: JsonValue): void {
    const absent = Object.entries(this)
      .filter(isDataField)
      .map(([key]) => [key, undefined] as const);
    for (const [key, value] of [...absent, ...Object.entries(state as object)]) {
      Object.defineProperty(this, key, { value, writable: true, enumerable: true, configurable: true });
    }
  }

  /**
   * Builds an aggregate from events, without a store. Its version is that of the last recorded event, or the number of
   * events if they have no version.
   */
  static fromEvents<A extends AggregateRoot>(
    this: new (id: string) => A,
    id: string,
    events: Iterable<EventsOf<A> | RecordedEvent<EventsOf<A>>>,
  ): A {
    const aggregate = new this(id);
    // Copies: the events may be another aggregate's, or be replayed again.
    for (const event of events) aggregate[replay](copyEvent(event as EventToAppend));
    return aggregate;
  }

  /**
   * Applies an event and records a copy of it as uncommitted; later changes to the given objects have no effect. An
   * aggregate that was loaded from a store with schemas (`withEvents`) applies the event as its schema returns it.
   *
   * @throws {@link InvalidEventError} when the event doesn't fit its schema; it is not applied
   * @throws {@link InvalidArgumentError} when a schema on the other side of Temporal changed events that were saved
   *   before: load the aggregate again
   */
  protected raise(event: EventToAppend<E>): void {
    this[assertIsCurrent]();
    const raised = this.#asStored(frozenEvent(event));
    // A copy: whatever `apply` does with it, what was raised is stored.
    this.#apply(copyEvent(raised));
    this.#uncommittedEvents.push(raised);
  }

  /**
   * Appends events to another stream together with those that the command raises, as one commit, all or nothing. They
   * aren't applied. The command must also raise an event: in the aggregate's own stream it is found again. The store must
   * append to several streams.
   *
   * @throws {@link InvalidArgumentError} for a malformed stream id, no list of events, or two expectations of one stream
   * @throws {@link VersionConflictError} by `save` and `execute`, when the other stream is not at the expected version
   * @example
   * class Account extends AggregateRoot<Withdrawn | Deposited> {
   *   static readonly category = 'Account';
   *   balance = 0;
   *   transfer(amount: number, to: string) {
   *     this.raise({ type: 'Withdrawn', data: { amount } });
   *     this.alsoAppend({ streamId: streamId('Account', to), events: [{ type: 'Deposited', data: { amount } }] });
   *   }
   *   protected apply({ type, data }: Withdrawn | Deposited) {
   *     this.balance += type === 'Deposited' ? data.amount : -data.amount;
   *   }
   * }
   */
  protected alsoAppend<Other extends DomainEvent = E>(append: StreamAppend<Other>): void {
    this[assertIsCurrent]();
    this.#uncommittedAppends = withAppend(this.#uncommittedAppends, append);
  }

  /** As it will be read, so that `apply` sees now what it will see then. What an asynchronous schema does shows at the append. */
  #asStored(event: EventToAppend<E>): EventToAppend<E> {
    const stored = this.#storedForm?.(event, `events[${this.#uncommittedEvents.length}]`);
    if (stored === undefined) return event;
    if (!isPromise(stored)) return stored as EventToAppend<E>;
    // Whoever appends the event waits for it.
    stored.catch(() => undefined);
    return event;
  }

  /** Changes the state, synchronously. It must not decide, read a clock, or throw: the event has happened. */
  protected abstract apply(event: E): void;

  /** @throws {@link InvalidArgumentError} when `apply` returns a promise: the state would change too late to decide on */
  #apply(event: E): void {
    assertIsSynchronous('apply', event.type, (this as unknown as { apply(event: E): unknown }).apply(event));
  }

  /** @internal */
  [replay](event: DomainEvent & { readonly version?: number }): void {
    this.#apply(event as E);
    this.#version = event.version ?? this.#version + 1;
  }

  /** @internal */
  [restore](version: number, state: JsonValue): void {
    this.restoreSnapshot(state);
    this.#version = version;
  }

  /** @internal */
  [raiseAs](form: StoredForm | undefined): void {
    this.#storedForm = form;
  }

  /** @internal */
  [outdate](): void {
    this.#isOutdated = true;
  }

  /** @internal */
  [assertIsCurrent](): void {
    if (!this.#isOutdated) return;
    throw new InvalidArgumentError(
      `The aggregate '${this.id}' was saved, and its events were changed by their schemas: its state is not that of its stream. ` +
        `Load it again. A repository over \`withEvents(store, events)\` lets an aggregate apply what is stored.`,
    );
  }
}

function isDataField([key, value]: readonly [string, unknown]): boolean {
  return key !== 'id' && typeof value !== 'function';
}
