import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { runScript } from '../script.js';
import { main, runExample, storeFolder } from './run-example.js';

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

  it.each([
    [
      ['--out', '/dev/null/figure.svg'],
      /^The figure can't be written: .*\/dev\/null.* Name a file with --out\.\n$/,
    ],
    [['--oot', 'figure.svg'], /^Unknown option '--oot'.*\n$/],
    [['a.csv', 'b.csv'], /^One log at a time: b\.csv is a second one\.\n$/],
  ])('says in one line what is wrong with %j, without a server', async (args, problem) => {
    const { code, stderr } = await runScript(main, args, { env: { TEMPORAL_ADDRESS: 'not.there:1' } });
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringMatching(problem) as string });
  });

  it('says so where there is no such file, without a server', async () => {
    const { code, stderr } = await runScript(main, ['/no/such/log.xes'], {
      env: { TEMPORAL_ADDRESS: 'not.there:1' },
    });
    expect(code).toBe(1);
    expect(stderr).toBe('/no/such/log.xes: there is no such file.\n');
  });

  it('says in one line that the database is not there', async () => {
    const { code, stderr } = await runScript(main, [], {
      env: { POSTGRES_URL: 'postgres://user:secret@127.0.0.1:1/none' },
    });
    expect(code).toBe(1);
    expect(stderr).toMatch(/^The database can't be reached .*\n$/);
    expect(stderr).not.toContain('secret');
  });
});
