import { isAppend } from '../faults.js';
import { waitUntil } from '../wait.js';
import type { Arena } from './arena.js';

/** Milliseconds that a caller waits; shorter than what some faults take, so that it doesn't learn the outcome. */
export const impatience = 8_000;

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
    async make({ proxy, tally }) {
      for (let round = 0; round < 3; round++) {
        const { appends } = tally;
        proxy.reset();
        await waitUntil(() => tally.appends > appends, 'the worker appends again');
      }
    },
  },

  'cut after COMMIT': {
    async make({ proxy }) {
      for (let round = 0; round < 3; round++) await proxy.cutAfter(isAppend);
    },
  },

  // Until the store gives up; what was sent before arrives after it was sent again.
  'half-open connections': {
    async make({ proxy, tally }) {
      // Of reads too: when a lane has to load its aggregate, it doesn't come to an append.
      const failures = () =>
        [tally.appendErrors, tally.readErrors].reduce(
          (sum, errors) => sum + (errors.get('STORE_UNAVAILABLE') ?? 0),
          0,
        );
      const before = failures();
      proxy.stall();
      await waitUntil(() => failures() > before, 'the store has given up');
      proxy.resume();
    },
  },

  'callers killed': { make: (arena) => arena.killCallers(0, impatience) },

  'worker and Temporal server killed': {
    async make(arena) {
      await Promise.all([arena.killWorker(), arena.temporal.kill()]);
      await arena.temporal.start();
    },
  },
};

function death(when: 'before COMMIT' | 'after COMMIT'): Fault {
  let deaths = 0;
  return {
    prepare: (arena) => {
      deaths = arena.tally.deaths;
      arena.armWorker(when, 5);
    },
    make: (arena) => waitUntil(() => arena.tally.deaths > deaths, `the worker has died ${when}`),
  };
}
