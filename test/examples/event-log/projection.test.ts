import { randomUUID } from 'node:crypto';
import { cp } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { PGliteEventStore } from 'temporal-event-store/pglite';
import { describe, expect, inject, it, onTestFinished } from 'vitest';
import { tagOf } from '../../../examples/event-log/case-event.js';
import { readCaseFigures } from '../../../examples/event-log/case-figures.js';
import { projectCases } from '../../../examples/event-log/project-cases.js';
import { readModelsBeside } from '../../../examples/read-model-database.js';
import { runScript } from '../script.js';
import { comparable, figuresOf } from './expected-figures.js';
import { copySample, generateLog, sourceOf } from './logs.js';
import { useProjectedStore } from './projected-store.js';

const main = new URL('../../../examples/event-log/main.ts', import.meta.url);
const killInPage = new URL('./kill-in-page.mjs', import.meta.url).href;

describe('the projection of cases', { timeout: 120_000 }, () => {
  it('says of each log what its file says, over the ends of pages and of imports', async () => {
    const { store, projections, load, figures } = await useProjectedStore();
    const [sample, interleaved] = [await copySample(), await generateLog()];
    await load(sample);
    await projectCases(projections, store);
    expect(comparable(await figures(sample))).toEqual(comparable(await figuresOf(sample)));

    await load(interleaved);
    const reported: { done: number; total: number }[] = [];
    await projectCases(projections, store, { onProgress: (progress) => reported.push(progress) });
    expect(reported.at(-1)).toEqual({ done: 1844, total: 1844 });
    for (const file of [sample, interleaved]) {
      expect(comparable(await figures(file))).toEqual(comparable(await figuresOf(file)));
    }
  });

  it('says nothing of a log that is not there', async () => {
    const { store, projections, load, figures } = await useProjectedStore();
    await load(await copySample());
    await projectCases(projections, store);
    expect(await figures(await generateLog())).toEqual({
      cases: 0,
      events: 0,
      months: [],
      throughput: { median: 0, p90: 0, longest: 0 },
      transitions: [],
    });
  });

  it('goes on when its process is killed in the middle of a page', { timeout: 240_000 }, async () => {
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
  });
});

/** By SQL and without the library; of a copy, so that nobody but the store recovers it. */
async function projectedIn(dataDir: string): Promise<unknown> {
  const copy = `${dataDir}-${randomUUID()}`;
  await cp(dataDir, copy, { recursive: true });
  const database = await PGlite.create(copy);
  try {
    const { rows } = await database.query(
      `select (select sum(events)::int from event_log_cases.cases) as events,
         (select position::int from event_log_example_projections.shares) as position`,
    );
    return rows[0];
  } finally {
    await database.close();
  }
}
