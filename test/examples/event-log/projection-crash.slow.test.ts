import { randomUUID } from 'node:crypto';
import { cp } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { PGliteEventStore } from 'temporal-event-store/pglite';
import { expect, inject, it, onTestFinished } from 'vitest';
import { tagOf } from '../../../examples/event-log/case-event.js';
import { readCaseFigures } from '../../../examples/event-log/case-figures.js';
import { readModelsBeside } from '../../../examples/read-model-database.js';
import { runScript } from '../script.js';
import { comparable, figuresOf } from './expected-figures.js';
import { generateLog, sourceOf } from './logs.js';

const main = new URL('../../../examples/dist/event-log/main.js', import.meta.url);
const killInPage = new URL('./kill-in-page.mjs', import.meta.url).href;

it(
  'the projection of cases goes on when its process is killed in the middle of a page',
  { timeout: 240_000 },
  async () => {
    const file = await generateLog(50, 5_000);
    const dataDir = join(dirname(file), 'store');
    const { address, namespace } = inject('temporal');
    const env = {
      POSTGRES_URL: '',
      EVENT_LOG_STORE: dataDir,
      TEMPORAL_ADDRESS: address,
      TEMPORAL_NAMESPACE: namespace,
    };
    const args = [file, '--out', join(dirname(file), 'figure.svg')];
    const killed = await runScript(main, args, {
      nodeOptions: ['--import', killInPage],
      env: { ...env, LAST_PAGE: '3' },
    });
    expect(killed.code).toBe('SIGKILL');
    expect(await projectedIn(dataDir)).toEqual({ events: 2_000, position: 2_000 });

    const { code, stderr } = await runScript(main, args, { env });

    expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
    const store = await PGliteEventStore.open({ dataDir, schema: 'event_log_example' });
    onTestFinished(() => store.close());
    const figures = await readCaseFigures(
      readModelsBeside(store).client,
      tagOf((await sourceOf(file)).fingerprint),
    );
    expect(comparable(figures)).toEqual(comparable(await figuresOf(file)));
  },
);

/** By SQL and without the library; of a copy, so that nobody but the store recovers it. */
async function projectedIn(dataDir: string): Promise<unknown> {
  const copy = `${dataDir}-${randomUUID()}`;
  await cp(dataDir, copy, { recursive: true });
  const database = await PGlite.create(copy);
  try {
    const { rows } = await database.query(
      `select (select sum(events)::int from event_log_cases.cases) as events,
         (select position::int from event_log_example_projections.shards) as position`,
    );
    return rows[0];
  } finally {
    await database.close();
  }
}
