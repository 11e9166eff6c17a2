import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { PGliteEventStore } from 'temporal-event-store/pglite';
import { expect, it, onTestFinished } from 'vitest';
import { fillDatabase } from '../support/pglite.js';

async function emptyStore(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'pglite-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  return fillDatabase(join(folder, 'store'));
}

/** Events of which all have one tag, and each has one of its own. */
function taggedEvents(count: number) {
  return Array.from({ length: count }, (_, index) => ({
    type: 'Opened',
    data: { text: 'x'.repeat(200) },
    tags: ['common', `rare-${index}`],
  }));
}

/** How a page of the events with a tag is read from a folder that no store uses. */
async function planOf(dataDir: string, tag: string): Promise<string> {
  const database = await PGlite.create(dataDir);
  try {
    const { rows } = await database.query<{ 'QUERY PLAN': string }>(
      `explain select * from event_store.events where position > 0 and tags @> array['${tag}'] order by position limit 1001`,
    );
    return rows.map((row) => row['QUERY PLAN']).join('\n');
  } finally {
    await database.close();
  }
}

it('a store knows a common tag from a rare one, as if a server had analysed it', async () => {
  const dataDir = await emptyStore();
  const store = await PGliteEventStore.open({ dataDir });
  for (let stream = 0; stream < 10; stream++) {
    await store.appendToStream(`Account-${stream}`, taggedEvents(500));
  }
  await store.close();

  expect(await planOf(dataDir, 'common')).toContain('Index Scan using events_pkey');
  expect(await planOf(dataDir, 'rare-7')).toContain('Bitmap Index Scan on events_tags_idx');
});

it('a store that never was analysed is when it is opened', async () => {
  const dataDir = await emptyStore();
  const store = await PGliteEventStore.open({ dataDir });
  await store.appendToStream('Account-1', taggedEvents(999));
  await store.appendToStream('Account-2', taggedEvents(1));
  await store.close();
  const database = await PGlite.create(dataDir);
  await database.exec(
    "delete from pg_statistic; update pg_class set reltuples = -1 where relname = 'events'",
  );
  await database.close();

  const again = await PGliteEventStore.open({ dataDir });
  await again.close();
  const { rows } = await PGlite.create(dataDir).then((opened) =>
    opened.query("select reltuples from pg_class where relname = 'events'").finally(() => opened.close()),
  );
  expect(rows).toEqual([{ reltuples: 1000 }]);
});
