import { isAppend } from '../faults.js';
import { waitUntil } from '../wait.js';
import type { Arena } from './arena.js';
import type { WalletCommand } from './commands.js';

/** Milliseconds that a caller waits; shorter than what some faults take, so that it doesn't learn the outcome. */
export const impatience = 8_000;

/** Milliseconds for a worker to stop: its grace time, and what the process takes. */
const longestStop = 8_000;

export interface Fault {
  /** Before the commands are sent that it is to meet. */
  readonly prepare?: (arena: Arena) => void;
  /** When some of them are answered. */
  readonly make: (arena: Arena) => Promise<void>;
}

/** Each begins and ends; after it all commands must get their answers. */
export const faults: Readonly<Record<string, Fault>> = {
  'worker killed from outside': { make: (arena) => arena.killWorker() },

  'worker died before COMMIT': death('before COMMIT'),

  'worker died after COMMIT': death('after COMMIT'),

  'Temporal server killed': {
    async make({ temporal }) {
      await temporal.kill();
      await temporal.start();
    },
  },

  'PostgreSQL killed': {
    async make({ cluster }) {
      await cluster.killHard();
      await cluster.start();
    },
  },

  'connections reset': {
    async make(arena) {
      const { proxy, tally } = arena;
      for (let round = 0; round < 3; round++) {
        const { appends } = tally;
        // Those of the run may have gone together, and be answered.
        sendOneMore(arena);
        proxy.reset();
        await waitUntil(() => tally.appends > appends, 'the worker appends again');
      }
    },
  },

  'cut after COMMIT': {
    async make(arena) {
      for (let round = 0; round < 3; round++) {
        const isCut = arena.proxy.cutAfter(isAppend);
        sendOneMore(arena);
        await isCut;
      }
    },
  },

  // Until the store gives up; what was sent before arrives after it was sent again.
  'half-open connections': {
    async make(arena) {
      const { proxy, tally } = arena;
      // Of reads too: when a lane has to load its aggregate, it doesn't come to an append.
      const failures = () =>
        [tally.appendErrors, tally.readErrors].reduce(
          (sum, errors) => sum + (errors.get('STORE_UNAVAILABLE') ?? 0),
          0,
        );
      const before = failures();
      proxy.stall();
      sendOneMore(arena);
      await waitUntil(() => failures() > before, 'the store has given up');
      proxy.resume();
    },
  },

  'callers killed': { make: (arena) => arena.killCallers(0, impatience) },

  'a wallet that is slow, one that blocks and one that is broken': {
    async make(arena) {
      const { answers } = arena.tally;
      for (const [id, name, amount] of [
        ['blocking', 'deposit', 5],
        ['slow', 'deposit', 7],
        ['broken', 'deposit', 9],
      ] as const) {
        arena.send([{ commandId: `trouble-${crypto.randomUUID()}`, id, name, amount }], 30_000);
      }
      await waitUntil(() => arena.tally.answers > answers, 'others are answered beside them');
    },
  },

  // It gets the lanes, while the other one is away.
  'a worker of the release before': {
    async make(arena) {
      await arena.startOldWorker();
      await arena.killWorker();
      await arena.waitForWorker();
      const { answers } = arena.tally;
      for (let number = 0; number < 12; number++) {
        sendOneMore(arena, number % 2 === 0 ? 'deposit' : 'withdraw');
      }
      await waitUntil(() => arena.tally.answers > answers + 10, 'both answer');
      await arena.killOldWorker();
    },
  },

  'worker stopped while PostgreSQL is away': {
    async make(arena) {
      await arena.cluster.killHard();
      const took = await arena.stopWorker();
      if (took > longestStop) arena.tally.unexpected.push(`The worker took ${took} ms to stop.`);
      await arena.cluster.start();
    },
  },

  'twenty processes of callers at once': {
    async make(arena) {
      const commands = Array.from({ length: 200 }, (_, number) => ({
        commandId: `crowd-${crypto.randomUUID()}`,
        id: number % 2 === 0 ? 'hot' : `cold-${number % 20}`,
        name: 'deposit' as const,
        amount: 1 + (number % 9),
      }));
      arena.sendByCrowd(commands, 60_000);
      await arena.endCrowd();
    },
  },

  'worker and Temporal server killed': {
    async make(arena) {
      await Promise.all([arena.killWorker(), arena.temporal.kill()]);
      await arena.temporal.start();
    },
  },
};

function sendOneMore(arena: Arena, name: WalletCommand['name'] = 'deposit'): void {
  const commandId = `one-more-${crypto.randomUUID()}`;
  arena.send([{ commandId, id: 'hot', name, amount: 1 }], impatience);
}

function death(when: 'before COMMIT' | 'after COMMIT'): Fault {
  let deaths = 0;
  return {
    prepare: (arena) => {
      deaths = arena.tally.deaths;
      arena.armWorker(when, 2);
    },
    make: (arena) => waitUntil(() => arena.tally.deaths > deaths, `the worker has died ${when}`),
  };
}
