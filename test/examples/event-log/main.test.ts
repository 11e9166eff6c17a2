import { relative } from 'node:path';
import { describe, expect, inject, it } from 'vitest';
import { temporaryFile } from '../../support/temporary-file.js';
import { runScript, type ScriptResult } from './script.js';

const main = new URL('../../../examples/event-log/main.ts', import.meta.url);

async function runExample(...args: string[]): Promise<ScriptResult> {
  const { address, namespace } = inject('temporal');
  return runScript(main, args, {
    env: { TEMPORAL_ADDRESS: address, TEMPORAL_NAMESPACE: namespace, INIT_CWD: process.cwd() },
  });
}

describe('npm run example:event-log', () => {
  it('imports the sample, shows it and replays a case', async () => {
    const { code, stdout, stderr } = await runExample();
    expect(code).toBe(0);
    expect(stdout).toContain('244 events of 20 cases, all new, in ');
    expect(stdout).toContain('Events per type (244 events in 20 streams, 12 types)\n  Repair           48\n');
    expect(stdout).toMatch(/Events per month\n {2}2024-02 {2}47 {2}█+▏\n/);
    expect(stdout).toContain('Longest stream: Case-job-003 with 19 events');
    expect(stdout).toMatch(/Replay of Case-job-003, version 19\n\{\n {2}events: 19,\n/);
    // The progress, where there is no terminal.
    expect(stderr).toMatch(/100% \| 244\/244 events \| [\d,]+ events\/s \| ETA 0s/);
  });

  it('says in one line what is wrong with a file, and fails', async () => {
    const log = 'case:concept:name,concept:name,time:timestamp\nc1,Open,2024-01-02 03:04:05Z\nc1,Close\n';
    const file = await temporaryFile('broken.csv', log);
    const { code, stdout, stderr } = await runExample(relative(process.cwd(), file));
    expect(code).toBe(1);
    expect(stderr).toBe(
      `${file}, line 3: the CSV is malformed: Invalid Record Length: expect 3, got 2 on line 3.\n`,
    );
    expect(stdout).toBe(`Importing ${file}\n`);
  });

  it('says so where there is no such file, without a server', async () => {
    const { code, stderr } = await runScript(main, ['/no/such/log.xes'], {
      env: { TEMPORAL_ADDRESS: 'not.there:1' },
    });
    expect(code).toBe(1);
    expect(stderr).toBe('/no/such/log.xes: there is no such file.\n');
  });
});
