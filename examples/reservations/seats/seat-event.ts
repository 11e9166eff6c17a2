import type { DomainEvent } from 'temporal-event-store';

/** Each event names the hold and all its seats, in its data and in its tags. */
interface Seats {
  readonly hold: string;
  readonly seats: readonly string[];
}
export type SeatsHeld = DomainEvent<
  'SeatsHeld',
  Seats & {
    readonly customer: string;
    /**
     * When the hold ends, ISO 8601. It stands in the event: what a customer was promised stays, also when holds become
     * shorter.
     */
    readonly until: string;
  }
>;
type SeatsBooked = DomainEvent<'SeatsBooked', Seats>;
export type SeatsReleased = DomainEvent<'SeatsReleased', Seats>;
export type SeatEvent = SeatsHeld | SeatsBooked | SeatsReleased;

export function seatTags({ hold, seats }: Seats): readonly string[] {
  return [`hold:${hold}`, ...seats.map((seat) => `seat:${seat}`)];
}
