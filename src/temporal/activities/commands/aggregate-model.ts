import { aggregateBuilder } from '../../../core/aggregates/aggregate-repository.js';
import type { AggregateRoot } from '../../../core/aggregates/aggregate-root.js';
import { deciderBuilder } from '../../../core/aggregates/command-handler.js';
import { checkCommand } from '../../../core/aggregates/commands.js';
import { splitDecided, toAppends } from '../../../core/aggregates/decided-appends.js';
import type { Decider } from '../../../core/aggregates/decider.js';
import type { StateBuilder } from '../../../core/aggregates/load-state.js';
import { asDecidedAppends, asRaised } from '../../../core/aggregates/raised-events.js';
import { copyEvent } from '../../../core/events/copy-event.js';
import type { DomainEvent, EventToAppend, RecordedEvent } from '../../../core/events/event.js';
import type { StreamAppend } from '../../../core/store/append/multi-stream-appends.js';
import type { StoredForm } from '../../../core/store/append/stored-form.js';
import { streamId } from '../../../core/store/stream-id.js';
import type { JsonValue } from '../../../core/values/json.js';
import type { AnyAggregate } from './aggregate-registry.js';
import { timed } from './deciding.js';
import { directly, type Run } from './interruptible.js';

/** How the state of an aggregate is built up, decided on and shown: what classes and deciders have in common. */
export interface AggregateModel<S> extends StateBuilder<S> {
  show(state: S): JsonValue;
  /**
   * Decides a command and applies its events to the state, in their stored form if that is known in time.
   *
   * @throws whatever the user's code throws, in a {@link DirtyStateError} when the state is no longer that of the stream
   */
  decide(
    state: S,
    name: string,
    payload: unknown,
  ): Promise<{
    readonly events: readonly EventToAppend[];
    /** What goes to other streams, as parts of the same commit. */
    readonly others: readonly StreamAppend[];
    readonly state: S;
    /** Milliseconds for which the user's code let nothing else run. */
    readonly blockedFor: number;
    /** Whether the state differs from what a replay will give. */
    readonly isOutdated: boolean;
  }>;
  /** Tells the state that all its decisions are stored. */
  commit(state: S): void;
  /** Whether deciding leaves the given state unchanged. */
  readonly isImmutable: boolean;
}

/** Deciding failed after the state had been changed. */
export class DirtyStateError extends Error {
  constructor(override readonly cause: unknown) {
    super('The state is spoilt.');
  }
}

/**
 * @param form turns events into the form that the store keeps
 * @param run calls the code of the application
 */
export function aggregateModelOf(
  aggregate: AnyAggregate,
  id: string,
  form: StoredForm | undefined,
  run: Run = directly,
): AggregateModel<unknown> {
  const home = streamId(aggregate.category, id);
  const model =
    typeof aggregate === 'function'
      ? modelOfClass(aggregate, id, home, form, run)
      : modelOfDecider(aggregate as Decider<unknown, unknown, DomainEvent>, home, form, run);
  if (run === directly) return model;
  return {
    ...model,
    create: () => run(() => model.create()),
    restore: (snapshot) => run(() => model.restore(snapshot)),
    apply: (state, event) => run(() => model.apply(state, event)),
  };
}

function modelOfClass(
  aggregateClass: Extract<AnyAggregate, abstract new (...args: never[]) => unknown>,
  id: string,
  home: string,
  form: StoredForm | undefined,
  run: Run,
): AggregateModel<AggregateRoot> {
  return {
    ...aggregateBuilder(aggregateClass, id, form),
    isImmutable: false,
    show: (aggregate) => aggregate.toSnapshot(),
    commit: (aggregate) => {
      aggregate.markEventsAsCommitted();
    },
    async decide(aggregate, name, payload) {
      const checked = await checkCommand(aggregateClass, name, payload);
      const before = aggregate.uncommittedEvents.length;
      const methods = aggregate as unknown as Record<string, (payload: unknown) => unknown>;
      try {
        const { returned, blockedFor } = timed(run, () => methods[name]?.(checked));
        await returned;
        const { events, difference } = await asRaised(form, aggregate.uncommittedEvents.slice(before));
        const [, ...parts] = toAppends(home, { own: events, others: aggregate.uncommittedAppends });
        const others = await asDecidedAppends(form, parts, 1);
        return { events, others, state: aggregate, blockedFor, isOutdated: difference !== undefined };
      } catch (error) {
        const isDirty =
          aggregate.uncommittedEvents.length > before || aggregate.uncommittedAppends.length > 0;
        throw isDirty ? new DirtyStateError(error) : error;
      }
    },
  };
}

function modelOfDecider(
  decider: Decider<unknown, unknown, DomainEvent>,
  home: string,
  form: StoredForm | undefined,
  run: Run,
): AggregateModel<unknown> {
  const builder = deciderBuilder<unknown, DomainEvent>(decider);
  return {
    ...builder,
    isImmutable: true,
    show: (state) => state as JsonValue,
    commit: () => undefined,
    async decide(state, name, payload) {
      const data = await checkCommand(decider, name, payload);
      const { returned, blockedFor } = timed(run, () => decider.decide(state, { type: name, data }));
      const appends = toAppends(home, splitDecided(await returned));
      const [own, ...others] = await asDecidedAppends(form, appends);
      const events = own?.events ?? [];
      const evolve = (next: unknown, event: EventToAppend): unknown =>
        builder.apply(next, copyEvent(event) as RecordedEvent);
      const next = run(() => events.reduce(evolve, state));
      return { events, others, state: next, blockedFor, isOutdated: false };
    },
  };
}
