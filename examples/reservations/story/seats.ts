import { createDecisionHandler, iterateAll, type AppendCondition } from 'temporal-event-store';
import { releaseHolds, releaseId } from '../seats/release-reaction.js';
import { bookSeats, defineHoldSeats, releaseSeats } from '../seats/seat-decisions.js';
import { seatTags, type SeatsHeld } from '../seats/seat-event.js';
import { outcomeOf, tally } from './outcome.js';
import type { Stage } from './stage.js';

/** How long the story holds a seat, instead of 15 minutes. */
const holdFor = 1_500;

/** Seats are held for a while: a condition, and a timer which may be late. */
export async function seats({ store, client, projections, named, title, say }: Stage): Promise<void> {
  const holding = createDecisionHandler(store, defineHoldSeats(holdFor));
  const booking = createDecisionHandler(store, bookSeats);
  const releasing = createDecisionHandler(store, releaseSeats);
  const now = (): string => new Date().toISOString();
  const hold = (name: string, labels: readonly string[], at: string) =>
    holding.execute(
      { hold: named(name), seats: labels.map(named), customer: name, at },
      { commandId: named(name) },
    );
  const book = (name: string, at: string) => booking.execute({ hold: named(name), at });
  const tell = async (what: string, call: Promise<unknown>): Promise<void> => {
    say(`  ${what} → ${await outcomeOf(call)}`);
  };
  const timerOf = async (id: string): Promise<string> => {
    const { last } = await store.statistics();
    await projections.waitFor(releaseHolds.name, last?.position ?? 0, { timeout: 30_000 });
    return String(await client.workflow.getHandle(releaseId(id)).result());
  };
  const { last } = await store.statistics();

  title(`Seats are held for ${holdFor / 1000} s here, both or none; a workflow releases them in time`);
  await projections.start(releaseHolds.name);
  const first = now();
  await tell('Ann holds A1 and A2', hold('ann', ['A1', 'A2'], first));
  await tell('Bob holds A2 and A3', hold('bob', ['A2', 'A3'], first));
  say(`  Ann’s timer → ${await timerOf(named('ann'))}`);
  await tell('Ann books', book('ann', now()));
  const second = now();
  await tell('Bob holds A2 and A3 now', hold('bob-again', ['A2', 'A3'], second));
  await tell('Bob books', book('bob-again', second));
  say(`  Bob’s timer → ${await timerOf(named('bob-again'))}`);

  title('A hold ends by its time, also if nobody has released it yet');
  const third = now();
  const over = new Date(Date.parse(third) + holdFor).toISOString();
  await tell('Cem holds B1', hold('cem', ['B1'], third));
  await tell('Dan holds B1 when that time is up, before the timer', hold('dan', ['B1'], over));
  await tell('Cem books, by a clock that is slow', book('cem', third));
  const late = await releasing.execute({ hold: named('cem') });
  say(`  Cem’s timer comes late → ${late.parts.length} events`);

  title('50 customers hold one seat at once');
  const customers = Array.from({ length: 50 }, (_, index) => `racer-${index}`);
  say(`  ${tally(await Promise.all(customers.map((name) => outcomeOf(hold(name, ['C1'], third)))))}`);

  title('50 appends on one condition: all have read that the seat is free');
  const seat = named('C2');
  const filter = { tags: [`seat:${seat}`] };
  const condition: AppendCondition = { filter, after: await store.readAll({ filter }) };
  const append = (customer: string): Promise<unknown> => {
    const data = { hold: named(`${customer}-C2`), seats: [seat], customer, until: over };
    const held = { type: 'SeatsHeld' as const, data, tags: seatTags(data) };
    return store.appendToStream<SeatsHeld>(`Hold-${data.hold}`, [held], { condition });
  };
  say(`  ${tally(await Promise.all(customers.map((name) => outcomeOf(append(name)))))}`);

  // No timer outlives the worker of this run.
  const holds = iterateAll<SeatsHeld>(store, {
    filter: { types: ['SeatsHeld'] },
    after: last?.position ?? 0,
  });
  for await (const { data } of holds) await timerOf(data.hold);
  await projections.stop(releaseHolds.name);
}
