import { readFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { PGliteEventStore } from 'temporal-event-store/pglite';
import { describe, expect, it } from 'vitest';
import { temporaryFile } from '../../support/temporary-file.js';
import { runExample, storeFolder } from './run-example.js';

describe('npm run example:event-log', { timeout: 180_000 }, () => {
  it('imports the sample, shows it and replays a case', async () => {
    const dataDir = await storeFolder();
    const { code, stdout, stderr } = await runExample(dataDir);
    expect(code).toBe(0);
    expect(stdout).toContain(`The event store is in PGlite, in ${dataDir}.`);
    expect(stdout).toContain('244 events of 20 cases, all new, in ');
    expect(stdout).toContain('Events per type (244 events in 20 streams, 12 types)\n  Repair           48\n');
    expect(stdout).toMatch(/Events per month\n {2}2024-02 {2}47 {2}█+▏\n/);
    expect(stdout).toContain('Longest stream: Case-job-003 with 19 events');
    expect(stdout).toMatch(/Replay of Case-job-003, version 19\n\{\n {2}events: 19,\n/);
    expect(stdout).toContain('\nCases that began in each month\n  2024-02  5  █');
    expect(stdout).toMatch(
      /Throughput time of a case: median [\d.]+ days, p90 [\d.]+ days, longest [\d.]+ days\n/,
    );
    expect(stdout).toContain('What follows what, most often (');
    const [, figure = ''] = /The transition matrix is drawn in (.+)\n/.exec(stdout) ?? [];
    const svg = await readFile(figure, 'utf8');
    expect(svg).toMatch(/^<svg .*<title id="title">sample-log.csv<\/title>.*<\/svg>\n$/s);
    expect(svg).toMatch(/<title>Inspect → Inspect: \d+<\/title>/);
    // The progress, where there is no terminal.
    expect(stderr).toMatch(/100% \| 244\/244 events \| [\d,]+ events\/s \| ETA 0s/);
  });

  it('finds the sample imported when it runs again, and shows the same', async () => {
    const dataDir = await storeFolder();
    const figure = async (run: string): Promise<string> => {
      const out = join(dirname(dataDir), 'figures', `${run}.svg`);
      const { stdout } = await runExample(dataDir, '--out', out);
      expect(stdout).toContain(`244 events of 20 cases, ${run}, in `);
      expect(stdout).toContain('Longest stream: Case-job-003 with 19 events');
      return readFile(out, 'utf8');
    };
    expect(await figure('all new')).toBe(await figure('already imported'));
  });

  it('says in one line that another process has the store, and fails', async () => {
    const dataDir = await storeFolder();
    const store = await PGliteEventStore.open({ dataDir });
    const { code, stderr } = await runExample(dataDir);
    await store.close();
    expect(code).toBe(1);
    expect(stderr).toMatch(/^The folder .* is in use by process \d+\. .*\n$/);
  });

  it('says in one line what is wrong with a file, and fails', async () => {
    const log = 'case:concept:name,concept:name,time:timestamp\nc1,Open,2024-01-02 03:04:05Z\nc1,Close\n';
    const file = await temporaryFile('broken.csv', log);
    const { code, stdout, stderr } = await runExample(await storeFolder(), relative(process.cwd(), file));
    expect(code).toBe(1);
    expect(stderr).toBe(
      `${file}, line 3: the CSV is malformed: Invalid Record Length: expect 3, got 2 on line 3.\n`,
    );
    expect(stdout).toMatch(/\nImporting .*\n$/);
  });
});
