import pg from 'pg';
import { PostgresEventStore } from 'temporal-event-store/postgres';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { createFilledDatabase } from '../support/event-rows.js';
import { query } from '../support/postgres.js';

const total = 1_000_000;
/** One event in so many carries the tag. */
const tags = { rare: 100_000, medium: 100, common: 2 };

let directUrl: string;
beforeAll(async () => {
  const parts = Object.entries(tags).map(([tag, every]) => `case when n % ${every} = 0 then '${tag}' end`);
  directUrl = await createFilledDatabase(total, `array_remove(array[${parts.join()}], null)`);
}, 300_000);

interface Plan {
  readonly 'Shared Hit Blocks': number;
  readonly 'Shared Read Blocks': number;
}

/** A store that keeps what it asks, so that the very same can be explained. */
async function useObservedStore() {
  const pool = new pg.Pool({ connectionString: directUrl });
  onTestFinished(() => pool.end());
  const asked: { readonly text: string; readonly values: unknown[] }[] = [];
  pool.on('connect', (client) => {
    const send = client.query.bind(client) as (...args: unknown[]) => unknown;
    Object.assign(client, {
      query(...args: unknown[]) {
        const [{ text, values }] = args as [{ text: string; values: unknown[] }];
        if (text?.includes('tags operator(pg_catalog.@>)')) asked.push({ text, values });
        return send(...args);
      },
    });
  });
  const store = await PostgresEventStore.connect({ pool });
  onTestFinished(() => store.close());
  return {
    store,
    /** Blocks that the last page took. */
    async buffers(): Promise<number> {
      const { text, values } = asked.at(-1)!;
      const { rows } = await pool.query<{ 'QUERY PLAN': readonly [{ readonly Plan: Plan }] }>(
        `explain (analyze, buffers, format json) ${text}`,
        values,
      );
      const { Plan: plan } = rows[0]!['QUERY PLAN'][0];
      return plan['Shared Hit Blocks'] + plan['Shared Read Blocks'];
    },
  };
}

describe('a page of a million events by a tag', () => {
  const pages = (['forward', 'backward'] as const).flatMap((direction) =>
    [undefined, total / 2].map((after) => [direction, after] as const),
  );

  // The whole table has more than 20,000 blocks.
  test.each(pages.flatMap((page) => Object.keys(tags).map((tag) => [tag, ...page] as const)))(
    'takes few blocks: %s, %s, after %s',
    async (tag, direction, after) => {
      const { store, buffers } = await useObservedStore();
      const every = tags[tag as keyof typeof tags];

      const { events } = await store.readAll({
        filter: { tags: [tag] },
        direction,
        limit: 1_000,
        ...(after !== undefined && { after }),
      });

      const step = direction === 'forward' ? every : -every;
      const start = direction === 'forward' ? (after ?? 0) : (after ?? total + every);
      const expected = Array.from({ length: 1_000 }, (_, index) => start + step * (index + 1)).filter(
        (position) => position > 0 && position <= total,
      );
      expect(events.map(({ position }) => position)).toEqual(expected);
      expect(await buffers()).toBeLessThan(
        { rare: 300, medium: 6_000, common: 500 }[tag as keyof typeof tags],
      );
    },
  );

  test('would walk through all of them for a rare tag along the positions', async () => {
    // What the planner takes by itself depends on what it believes of the tag.
    const alongPositions = `${directUrl}?options=${encodeURIComponent('-c enable_bitmapscan=off')}`;
    const [row] = await query<{ 'QUERY PLAN': readonly [{ readonly Plan: Plan }] }>(
      alongPositions,
      `explain (analyze, buffers, format json)
       select position from event_store.events where tags @> '{rare}' and position > 0 order by position limit 1001`,
    );
    const { Plan: plan } = row!['QUERY PLAN'][0];
    expect(plan['Shared Hit Blocks'] + plan['Shared Read Blocks']).toBeGreaterThan(10_000);
  });
});
