import type { SeatEvent, SeatsHeld } from './seat-event.js';

export type Hold = SeatsHeld['data'] & { readonly isBooked: boolean };

/** The holds that were not released. The time of some may be up. */
export type Holds = readonly Hold[];

export function noHolds(): Holds {
  return [];
}

export function evolveHolds(holds: Holds, { type, data }: SeatEvent): Holds {
  switch (type) {
    case 'SeatsHeld':
      return [...holds, { ...data, isBooked: false }];
    case 'SeatsBooked':
      return holds.map((each) => (each.hold === data.hold ? { ...each, isBooked: true } : each));
    case 'SeatsReleased':
      return holds.filter(({ hold }) => hold !== data.hold);
  }
}

/**
 * Whether the seats are still the customer's: booked, or held at this time. The time decides, and not whether somebody has
 * released the hold already: a timer may be late.
 */
export function stands({ isBooked, until }: Hold, at: string): boolean {
  return isBooked || Date.parse(at) < Date.parse(until);
}
