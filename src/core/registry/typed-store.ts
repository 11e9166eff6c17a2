import type { DomainEvent } from '../events/event.js';
import type { CommitChain } from '../store/append/commit-chain.js';
import type { MultiStreamAppends } from '../store/append/multi-stream-appends.js';
import type { EventStore } from '../store/event-store.js';
import type { EventRegistry, InferEvents, InferNewEvents } from './event-registry.js';

/**
 * A store that holds the events of a registry: it appends only these, and its reads return these. Everything else is as
 * in the store below.
 */
export type TypedStore<S extends EventStore, R extends EventRegistry> = EventStore<
  ReadEvents<InferEvents<R>>,
  InferNewEvents<R>
> & {
  [K in Exclude<keyof S, keyof EventStore | keyof CommitChain | keyof MultiStreamAppends>]: TypedResult<
    S[K],
    R
  >;
} & (S extends CommitChain ? CommitChain<InferNewEvents<R>> : unknown) &
  (S extends MultiStreamAppends
    ? MultiStreamAppends<InferNewEvents<R>, ReadEvents<InferEvents<R>>['type']>
    : unknown);

/** With an empty registry, whatever is stored. */
type ReadEvents<E extends DomainEvent> = [E] extends [never] ? DomainEvent : E;

/** A method that returns a store, such as `inTransaction`, returns one of the same events. */
type TypedResult<Member, R extends EventRegistry> = Member extends (...args: infer Args) => infer Result
  ? [Result] extends [EventStore]
    ? (...args: Args) => TypedStore<Result, R>
    : [Result] extends [Promise<infer Promised extends EventStore>]
      ? (...args: Args) => Promise<TypedStore<Promised, R>>
      : Member
  : Member;
