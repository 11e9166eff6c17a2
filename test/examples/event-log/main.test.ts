import { describe, expect, it } from 'vitest';
import { runScript } from '../script.js';
import { main } from './run-example.js';

describe('npm run example:event-log', { timeout: 180_000 }, () => {
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
