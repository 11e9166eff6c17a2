import { createDecisionHandler } from 'temporal-event-store';
import { MemoryEventStore } from 'temporal-event-store/memory';
import { given } from 'temporal-event-store/testing';
import { beforeEach, describe, expect, it } from 'vitest';
import {
  bookSeats,
  holdSeats,
  releaseSeats,
  type HoldSeats,
} from '../../../examples/reservations/seats/seat-decisions.js';
import { seatTags, type SeatEvent } from '../../../examples/reservations/seats/seat-event.js';

const at = '2026-05-06T12:00:00.000Z';
const lastMoment = '2026-05-06T12:14:59.999Z';
const until = '2026-05-06T12:15:00.000Z';

interface Seats {
  readonly hold: string;
  readonly seats: readonly string[];
}
const annas: Seats = { hold: 'ann', seats: ['A1', 'A2'] };

function event(type: 'SeatsBooked' | 'SeatsReleased', { hold, seats }: Seats) {
  const data = { hold, seats };
  return { type, data, tags: seatTags(data), streamId: `Hold-${hold}` };
}
function held({ hold, seats }: Seats, end = until) {
  const data = { hold, seats, customer: hold, until: end };
  return { type: 'SeatsHeld' as const, data, tags: seatTags(data), streamId: `Hold-${hold}` };
}
const booked = (seats: Seats) => event('SeatsBooked', seats);
const released = (seats: Seats) => event('SeatsReleased', seats);

function toHold(seats: Seats, time = at): HoldSeats {
  return { ...seats, customer: seats.hold, at: time };
}

describe('holding seats', () => {
  const bobs: Seats = { hold: 'bob', seats: ['A2', 'A3'] };

  it('holds them for 15 minutes', async () => {
    await given(holdSeats, [])
      .when(toHold(annas))
      .then([held(annas)]);
  });

  it.each<[string, readonly ReturnType<typeof held | typeof event>[], string]>([
    ['held', [held(annas)], lastMoment],
    ['booked', [held(annas), booked(annas)], until],
  ])('is refused when one of them is %s', async (_what, past, time) => {
    await given(holdSeats, past).when(toHold(bobs, time)).then({ reason: 'SEAT_TAKEN' });
  });

  it('takes what was released', async () => {
    await given(holdSeats, [held(annas), released(annas)])
      .when(toHold(bobs))
      .then([held(bobs)]);
  });

  it('takes what is held no longer by its time, and ends that hold', async () => {
    const end = '2026-05-06T12:30:00.000Z';
    await given(holdSeats, [held(annas)])
      .when(toHold(bobs, until))
      .then([held(bobs, end), released(annas)]);
  });
});

describe('booking', () => {
  it.each<[string, readonly ReturnType<typeof held | typeof event>[], string, Partial<SeatEvent>[] | string]>(
    [
      ['in time', [held(annas)], lastMoment, [booked(annas)]],
      ['twice', [held(annas), booked(annas)], until, []],
      ['too late', [held(annas)], until, 'HOLD_OVER'],
      ['after the release, by a clock that is slow', [held(annas), released(annas)], at, 'HOLD_OVER'],
      ['without a hold', [], at, 'HOLD_OVER'],
    ],
  )('%s', async (_when, past, time, expected) => {
    await given(bookSeats, past)
      .when({ hold: 'ann', at: time })
      .then(typeof expected === 'string' ? { reason: expected } : (expected as SeatEvent[]));
  });
});

describe('releasing', () => {
  it.each<[string, readonly ReturnType<typeof held | typeof event>[], SeatEvent[]]>([
    ['ends a hold', [held(annas)], [released(annas)]],
    ['leaves booked seats alone', [held(annas), booked(annas)], []],
    ['does nothing the second time', [held(annas), released(annas)], []],
    [
      'leaves seats alone that somebody else holds by now',
      [held(annas), held({ ...annas, hold: 'bob' }, '2026-05-06T12:30:00.000Z'), released(annas)],
      [],
    ],
  ])('%s', async (_what, past, events) => {
    await given(releaseSeats, past).when({ hold: 'ann' }).then(events);
  });
});

describe('at once', () => {
  let store: MemoryEventStore;
  beforeEach(() => {
    store = new MemoryEventStore();
  });

  it('one of 50 customers holds a seat', async () => {
    const { execute } = createDecisionHandler(store, holdSeats);
    const calls = Array.from({ length: 50 }, (_, index) =>
      execute(toHold({ hold: `h${index}`, seats: ['A1'] })),
    );
    const outcomes = await Promise.allSettled(calls);
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect((await store.readAll()).events.map(({ type }) => type)).toEqual(['SeatsHeld']);
  });

  it.each(['booked first', 'taken first'])(
    'a seat is either booked in the last moment or taken after it: %s',
    async (order) => {
      const hold = createDecisionHandler(store, holdSeats);
      const book = createDecisionHandler(store, bookSeats);
      await hold.execute(toHold(annas));
      const calls = [
        () => book.execute({ hold: 'ann', at: lastMoment }),
        () => hold.execute(toHold({ hold: 'bob', seats: ['A2'] }, until)),
      ];
      if (order === 'taken first') calls.reverse();
      const [first, second] = await Promise.allSettled(calls.map((call) => call()));
      expect([first?.status, second?.status].sort()).toEqual(['fulfilled', 'rejected']);
    },
  );

  it('a hold whose answer was lost is found by its id', async () => {
    const { execute } = createDecisionHandler(store, holdSeats);
    await execute(toHold(annas), { commandId: 'ann' });
    expect(await execute(toHold(annas), { commandId: 'ann' })).toMatchObject({ deduplicated: true });
  });
});
