import { fileURLToPath } from 'node:url';
import { createDecisionHandler } from 'temporal-event-store';
import { ProjectionClient } from 'temporal-event-store/client';
import { MemoryEventStore } from 'temporal-event-store/memory';
import { describe, expect, it, onTestFinished } from 'vitest';
import { releaseHolds, releaseId } from '../../../examples/reservations/seats/release-reaction.js';
import type { releaseInTime } from '../../../examples/reservations/seats/release-workflow.js';
import { bookSeats, defineHoldSeats } from '../../../examples/reservations/seats/seat-decisions.js';
import { createReservationWorker } from '../../../examples/reservations/worker.js';
import { connectClient, runWorker, uniqueName } from '../../support/temporal.js';

const workflows = fileURLToPath(new URL('../../../examples/reservations/workflows.ts', import.meta.url));

/** A worker with the reaction, on a store in memory, and the commands. */
async function startService(holdFor: number) {
  const store = new MemoryEventStore();
  const taskQueue = uniqueName('reservations');
  const client = await connectClient();
  onTestFinished(
    await runWorker(workflows, (worker) => createReservationWorker({ ...worker, taskQueue, store })),
  );
  const projections = new ProjectionClient({ client, taskQueue });
  const holding = createDecisionHandler(store, defineHoldSeats(holdFor));
  const { execute: book } = createDecisionHandler(store, bookSeats);
  const { storeId } = await store.readAll();
  return {
    book,
    types: async () => (await store.readAll()).events.map(({ streamId, type }) => `${streamId} ${type}`),
    hold: (hold: string, at: string) =>
      holding.execute({ hold, seats: [`${storeId}/A1`], customer: 'ann', at }, { commandId: hold }),
    timerOf: (hold: string) => client.workflow.getHandle<typeof releaseInTime>(releaseId(hold)),
    projections,
  };
}

const now = (): string => new Date().toISOString();

describe('the timers of holds', () => {
  it('release a hold whose time is up, and leave a booked one alone', async () => {
    const { hold, book, types, timerOf, projections } = await startService(1_000);
    await projections.start(releaseHolds.name);
    const [first, second, third] = ['first', 'second', 'third'].map(uniqueName) as [string, string, string];
    const at = now();
    const { position } = await hold(first, at);
    await expect(hold(second, at)).rejects.toMatchObject({ reason: 'SEAT_TAKEN' });
    await projections.waitFor(releaseHolds.name, position);
    expect(await timerOf(first).result()).toBe('released');
    await expect(book({ hold: first, at: now() })).rejects.toMatchObject({ reason: 'HOLD_OVER' });

    const again = now();
    await hold(third, again);
    const booked = await book({ hold: third, at: again });
    await projections.waitFor(releaseHolds.name, booked.position);
    expect(await timerOf(third).result()).toBe('nothing to release');
    expect(await types()).toEqual([
      `Hold-${first} SeatsHeld`,
      `Hold-${first} SeatsReleased`,
      `Hold-${third} SeatsHeld`,
      `Hold-${third} SeatsBooked`,
    ]);
    await projections.stop(releaseHolds.name);
  });

  it('come late without harm: the next customer has ended the hold by its time', async () => {
    const { hold, types, timerOf, projections } = await startService(1_000);
    const [first, second] = ['first', 'second'].map(uniqueName) as [string, string];
    const at = now();
    const over = new Date(Date.parse(at) + 1_000).toISOString();
    // Nobody starts timers yet.
    await hold(first, at);
    const { position } = await hold(second, over);
    await projections.start(releaseHolds.name);
    await projections.waitFor(releaseHolds.name, position);
    expect(await timerOf(first).result()).toBe('nothing to release');
    expect(await timerOf(second).result()).toBe('released');
    expect(await types()).toEqual([
      `Hold-${first} SeatsHeld`,
      `Hold-${second} SeatsHeld`,
      `Hold-${first} SeatsReleased`,
      `Hold-${second} SeatsReleased`,
    ]);
    await projections.stop(releaseHolds.name);
  });
});
