import {
  AggregateRepository,
  AggregateRoot,
  createCommandHandler,
  type AggregateClass,
  type Decider,
  type DomainCommand,
  type DomainEvent,
  type EventsOf,
  type EventStore,
  type EventToAppend,
  type RecordedEvent,
} from 'temporal-event-store';
import { given } from 'temporal-event-store/testing';
import { describe, expectTypeOf, it } from 'vitest';

type Captured = DomainEvent<'Captured', { readonly cents: number }>;
type Refunded = DomainEvent<'Refunded', { readonly reason: string }>;
type PaymentEvent = Captured | Refunded;

class Payment extends AggregateRoot<PaymentEvent> {
  static readonly category = 'Payment';
  cents = 0;

  capture(cents: number): number {
    this.raise({ type: 'Captured', data: { cents } });
    this.raise({ type: 'Captured', data: { cents }, tags: ['eu'], metadata: { actor: 'ann' } });
    // @ts-expect-error -- not an event of this aggregate
    this.raise({ type: 'Voided', data: {} });
    // @ts-expect-error -- the data of another event
    this.raise({ type: 'Captured', data: { reason: 'x' } });
    return this.cents;
  }

  protected apply(event: PaymentEvent): void {
    if (event.type === 'Captured') this.cents += event.data.cents;
  }
}

class Nameless extends AggregateRoot<PaymentEvent> {
  protected apply(): void {
    // Nothing changes.
  }
}

type PaymentCommand = DomainCommand<'Capture', { readonly cents: number }> | DomainCommand<'Refund', null>;
const payment: Decider<{ readonly cents: number }, PaymentCommand, PaymentEvent> = {
  category: 'Payment',
  initialState: () => ({ cents: 0 }),
  evolve: (state, event) => (event.type === 'Captured' ? { cents: state.cents + event.data.cents } : state),
  decide: (_state, command) =>
    command.type === 'Capture' ? [{ type: 'Captured', data: { cents: command.data.cents } }] : [],
};

declare const store: EventStore;
declare const captured: Captured;
declare const recorded: readonly RecordedEvent<PaymentEvent>[];

describe('an aggregate', () => {
  it('is of its own class when it is built from events', () => {
    expectTypeOf(Payment.fromEvents('1', [captured])).toEqualTypeOf<Payment>();
    expectTypeOf(Payment.fromEvents('1', recorded)).toEqualTypeOf<Payment>();
    // @ts-expect-error -- not an event of this aggregate
    Payment.fromEvents('1', [{ type: 'Voided', data: {} }]);
  });

  it('knows its events', () => {
    expectTypeOf<EventsOf<Payment>>().toEqualTypeOf<PaymentEvent>();
    expectTypeOf(new Payment('1').uncommittedEvents).toEqualTypeOf<readonly EventToAppend<PaymentEvent>[]>();
  });

  it('needs a category to be stored', () => {
    expectTypeOf<typeof Payment>().toExtend<AggregateClass<Payment>>();
    // @ts-expect-error -- no category
    new AggregateRepository(store, Nameless);
  });
});

describe('a repository', () => {
  const payments = new AggregateRepository(store, Payment);

  it('gives aggregates of its class', () => {
    expectTypeOf(payments.load('1')).resolves.toEqualTypeOf<Payment>();
    expectTypeOf(payments.find('1')).resolves.toEqualTypeOf<Payment | undefined>();
  });

  it('gives what a command returns, which is absent when an earlier run was found', () => {
    expectTypeOf(payments.execute('1', (each) => each.capture(5))).resolves.toEqualTypeOf<{
      readonly result: number | undefined;
      readonly version: number;
      readonly deduplicated: boolean;
    }>();
    expectTypeOf(payments.execute('1', async (each) => each.cents))
      .resolves.toHaveProperty('result')
      .toEqualTypeOf<number | undefined>();
  });
});

describe('a command handler', () => {
  it('takes the commands of its decider, and gives its events', () => {
    const payments = createCommandHandler(store, payment);
    expectTypeOf(payments.execute('1', { type: 'Capture', data: { cents: 5 } }))
      .resolves.toHaveProperty('events')
      .toEqualTypeOf<readonly EventToAppend<PaymentEvent>[] | undefined>();
    // @ts-expect-error -- not a command of this decider
    void payments.execute('1', { type: 'Void', data: null });
    // @ts-expect-error -- the data of another command
    void payments.execute('1', { type: 'Capture', data: null });
  });
});

describe('given', () => {
  it('takes the events and commands of an aggregate', async () => {
    const spec = given(Payment, [captured]);
    expectTypeOf(spec.when).parameter(0).toEqualTypeOf<(aggregate: Payment) => unknown>();
    await spec.when((each) => each.capture(5)).then([{ type: 'Captured', data: { cents: 5 } }]);
    await spec.when((each) => each.capture(5)).then(Error);
    // @ts-expect-error -- not an event of this aggregate
    await spec.when((each) => each.capture(5)).then([{ type: 'Voided', data: {} }]);
    // @ts-expect-error -- not an event of this aggregate
    given(Payment, [{ type: 'Voided', data: {} }]);
  });

  it('takes the events and commands of a decider', async () => {
    const spec = given(payment, [captured]);
    expectTypeOf(spec.when).parameter(0).toEqualTypeOf<PaymentCommand>();
    await spec.when({ type: 'Refund', data: null }).then([{ type: 'Refunded', data: { reason: 'x' } }]);
    // @ts-expect-error -- not a command of this decider
    spec.when({ type: 'Void', data: null });
    // @ts-expect-error -- the data of another event
    await spec.when({ type: 'Refund', data: null }).then([{ type: 'Refunded', data: { cents: 5 } }]);
  });

  it('can not be awaited before it is told what is expected', async () => {
    // @ts-expect-error -- a specification without an expectation
    await given(Payment, []).when((each) => each.capture(5)); // eslint-disable-line @typescript-eslint/await-thenable
  });
});
