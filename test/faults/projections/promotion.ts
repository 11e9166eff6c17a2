import { setTimeout as sleep } from 'node:timers/promises';
import { startTcpProxy, type TcpProxy } from '../../support/tcp-proxy.js';
import { detach, pair, synchronous, type Defer } from '../failover/pair.js';
import { withClient } from '../faults.js';
import { waitUntil } from '../wait.js';
import type { ArenaOptions } from './arena.js';
import { countEvents } from './audit.js';
import type { Fault } from './faults.js';
import { ledger } from './ledger.js';
import { play, type Outcome } from './scenario.js';

type Servers = Awaited<ReturnType<typeof pair>> & { readonly frontDoor: TcpProxy };

/**
 * A standby that is promoted under load: once with all that was acknowledged, so that nobody has anything to do, and then, of another
 * pair, without the last commits, which must be noticed before anything is applied twice or left out.
 *
 * @param createDatabase makes one on the server of an address, and gives its own
 */
export async function playPromotions(
  options: Omit<ArenaOptions, 'cluster' | 'url'>,
  createDatabase: (serverUrl: string, name: string) => Promise<string>,
): Promise<Readonly<Record<string, Outcome>>> {
  const outcomes: Record<string, Outcome> = {};
  for (const [name, promoteAs] of Object.entries(promotions)) {
    const cleanUps: (() => unknown)[] = [];
    const defer: Defer = (cleanUp) => void cleanUps.unshift(cleanUp);
    try {
      const { primary, standby } = await pair(defer);
      const frontDoor = await startTcpProxy(primary.url);
      defer(() => frontDoor.close());
      const url = frontDoor.url(await createDatabase(primary.url, 'promoted'));
      const taskQueue = `${options.taskQueue}-${name.replaceAll(' ', '-')}`;
      const round = promoteAs({ primary, standby, frontDoor });
      outcomes[name] = await play({ ...options, cluster: primary, url, taskQueue }, [[name, round]]);
    } finally {
      for (const cleanUp of cleanUps) await cleanUp();
    }
  }
  return outcomes;
}

const promotions: Readonly<Record<string, (servers: Servers) => Fault>> = {
  'a standby promoted': (servers) => async (arena) => {
    await synchronous(servers.primary);
    const { pages } = arena.tally;
    await waitUntil(() => arena.tally.pages > pages + 3, 'pages are written with a synchronous standby');
    await promote(servers);
  },

  'a standby promoted that lacks the last commits': (servers) => async (arena) => {
    await detach(servers.standby);
    const { pages } = arena.tally;
    await waitUntil(() => arena.tally.pages > pages + 5, 'events are applied that the standby lacks');
    const acknowledged = arena.tally.events;
    await Promise.all([arena.reader.loop.hold(), arena.waiter.loop.hold()]);
    await promote(servers);
    // The control: else there is nothing to notice.
    const { 'events stored': stored = 0 } = await countEvents(arena.url);
    if (stored >= acknowledged) arena.tally.unexpected.push('The promotion has lost no commit.');
    await waitUntil(
      async () => (await arena.projector.status(ledger)).state === 'failed',
      'the projection has noticed that its store lost events',
      90,
    );
    await arena.store.rotateStoreId();
    await arena.projector.rebuild(ledger);
    await waitUntil(
      async () => (await arena.projector.status(ledger)).rebuild === undefined,
      'the read model is built again',
      120,
    );
    arena.reader.forget();
    arena.reader.loop.release();
    arena.waiter.loop.release();
  },
};

async function promote({ primary, standby, frontDoor }: Servers): Promise<void> {
  await primary.killHard();
  frontDoor.redirect(standby.url);
  frontDoor.reset();
  await sleep(1_000);
  await withClient(standby.url, (client) => client.query('select pg_promote()'));
}
