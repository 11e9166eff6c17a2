import { defineDecision, DomainError, streamId, type EventToAppend } from 'temporal-event-store';
import { evolveHolds, noHolds, stands, type Hold } from './hold.js';
import { seatTags, type SeatsReleased } from './seat-event.js';

export interface HoldSeats {
  /** A new id. */
  readonly hold: string;
  readonly seats: readonly string[];
  readonly customer: string;
  /**
   * The time of the request, by the service's clock. It is a part of the command, since a decision has no clock: sent again, the
   * command says the same.
   */
  readonly at: string;
}

export interface BookSeats {
  readonly hold: string;
  /** As in {@link HoldSeats}. */
  readonly at: string;
}

export interface ReleaseSeats {
  readonly hold: string;
}

const types = ['SeatsHeld', 'SeatsBooked', 'SeatsReleased'] as const;
const quarterOfAnHour = 15 * 60 * 1000;

/** Holds all of the seats for 15 minutes, or none of them. */
export const holdSeats = defineHoldSeats(quarterOfAnHour);

/** @param holdFor how long, in milliseconds */
export function defineHoldSeats(holdFor: number) {
  return defineDecision({
    name: 'hold-seats',
    home: ({ hold }: HoldSeats) => streamId('Hold', hold),
    filter: ({ seats }) => seats.map((seat) => ({ types, tags: [`seat:${seat}`] })),
    initialState: noHolds,
    evolve: evolveHolds,
    decide(holds, { hold, seats, customer, at }) {
      if (holds.some((each) => stands(each, at))) {
        throw new DomainError('A seat is taken', { reason: 'SEAT_TAKEN' });
      }
      const until = new Date(Date.parse(at) + holdFor).toISOString();
      return [
        { type: 'SeatsHeld', data: { hold, seats, customer, until }, tags: seatTags({ hold, seats }) },
        // The time of these is up, and nobody has released them yet. From now on, each is over for its own customer, too.
        ...holds.map((over) => ({ streamId: streamId('Hold', over.hold), events: [released(over)] })),
      ];
    },
  });
}

/** Makes a hold final. It depends on the events of this hold only: who takes one of its seats releases it first. */
export const bookSeats = defineDecision({
  name: 'book-seats',
  home: ({ hold }: BookSeats) => streamId('Hold', hold),
  filter: ({ hold }) => ({ types, tags: [`hold:${hold}`] }),
  initialState: noHolds,
  evolve: evolveHolds,
  decide([held], { hold, at }) {
    if (held === undefined || !stands(held, at)) {
      throw new DomainError('The hold is over', { reason: 'HOLD_OVER' });
    }
    const { seats, isBooked } = held;
    return isBooked ? [] : [{ type: 'SeatsBooked', data: { hold, seats }, tags: seatTags({ hold, seats }) }];
  },
});

/**
 * Ends a hold, because its time is up or the customer has changed their mind. It changes nothing if the seats were booked, or
 * if they are somebody else's by now; so it may come late, or twice.
 */
export const releaseSeats = defineDecision({
  name: 'release-seats',
  home: ({ hold }: ReleaseSeats) => streamId('Hold', hold),
  filter: ({ hold }) => ({ types, tags: [`hold:${hold}`] }),
  initialState: noHolds,
  evolve: evolveHolds,
  decide: ([held]) => (held === undefined || held.isBooked ? [] : [released(held)]),
});

function released({ hold, seats }: Hold): EventToAppend<SeatsReleased> {
  return { type: 'SeatsReleased', data: { hold, seats }, tags: seatTags({ hold, seats }) };
}
