import { setTimeout as sleep } from 'node:timers/promises';
import { withClient } from '../faults.js';
import { waitUntil } from '../wait.js';
import type { Arena } from './arena.js';
import { ledger } from './ledger.js';

export type Fault = (arena: Arena) => Promise<void>;

/** Ways to kill a worker in the middle of a page, which take turns. */
export const kills: Readonly<Record<string, Fault>> = {
  'worker killed from outside': async (arena) => {
    const { pages } = arena.tally;
    await waitUntil(() => arena.tally.pages > pages, 'a page is written');
    await arena.kill();
  },
  'worker died in a page': (arena) => arena.strike('in a page'),
  'worker died before COMMIT': (arena) => arena.strike('before COMMIT'),
  'worker died after COMMIT': (arena) => arena.strike('after COMMIT'),
};

/** Each begins and ends; after it the projection must catch up by itself. */
export const faults: Readonly<Record<string, Fault>> = {
  'worker stopped between pages, succeeded, and woken': (arena) => outlive(arena, 'before BEGIN'),

  'worker stopped in a page, succeeded, and woken': (arena) => outlive(arena, 'in a page'),

  'backends terminated': async ({ url }) => {
    for (let round = 0; round < 5; round++) {
      await withClient(url, (client) =>
        client.query(`select pg_terminate_backend(pid) from pg_stat_activity
          where datname = current_database() and application_name <> 'audit' and pid <> pg_backend_pid()`),
      );
      await sleep(200);
    }
  },

  'connections reset': async ({ proxy, tally }) => {
    for (let round = 0; round < 3; round++) {
      const { pages } = tally;
      proxy.reset();
      await waitUntil(() => tally.pages > pages, 'a page is written again');
    }
  },

  'cut after COMMIT': async ({ proxy, tally }) => {
    for (let round = 0; round < 3; round++) {
      const { pages } = tally;
      await proxy.cutAfter(({ sql: [sql = ''] }) => sql.endsWith('commit'));
      await waitUntil(() => tally.pages > pages, 'a page is written again');
    }
  },

  'PostgreSQL killed': async ({ cluster }) => {
    await cluster.killHard();
    await cluster.start();
  },

  'Temporal server killed': async ({ temporal }) => {
    await temporal.kill();
    await temporal.start();
  },

  'worker and Temporal server killed': async (arena) => {
    await Promise.all([arena.kill(), arena.temporal.kill()]);
    await arena.temporal.start();
  },

  'an event that throws, mended and tried again': async (arena) => {
    const { stream, eventId } = await spoil(arena);
    await withClient(arena.url, (client) => client.query('insert into audit.mended values ($1)', [stream]));
    await arena.projector.retry(ledger, eventId);
  },

  'an event that throws, skipped by an operator': async (arena) => {
    const { stream, eventId } = await spoil(arena);
    await withClient(arena.url, (client) =>
      client.query('insert into audit.skipped values ($1, $2)', [eventId, stream]),
    );
    const by = { operator: 'Ann', reason: 'a spoilt event of the fault run' };
    await arena.projector.skip(ledger, eventId, by);
    const parked = await arena.projector.parked(ledger);
    if (!parked.some((event) => event.eventId === eventId && event.operator === by.operator)) {
      arena.tally.unexpected.push(`Who skipped ${eventId} is not kept: ${JSON.stringify(parked)}`);
    }
  },
};

/** Another takes over from a worker that is only thought dead, which then goes on where it was. */
async function outlive(arena: Arena, moment: 'before BEGIN' | 'in a page'): Promise<void> {
  const { goOn } = await arena.stop(moment);
  await arena.waitForTakeover();
  const { pages } = arena.tally;
  await waitUntil(() => arena.tally.pages > pages, 'the successor has written');
  await goOn();
}

/** Appends an event that can't be applied, between two that can, and waits until the projection has stopped at it. */
async function spoil(arena: Arena): Promise<{ readonly stream: string; readonly eventId: string }> {
  const stream = `Spoilt-${crypto.randomUUID()}`;
  const [, eventId = ''] = await arena.append(stream, ['Posted', 'Spoilt', 'Posted']);
  await waitUntil(async () => {
    const { state, blocked } = await arena.projector.status(ledger);
    return state === 'blocked' && blocked?.eventId === eventId;
  }, 'the projection has stopped at the event');
  return { stream, eventId };
}
