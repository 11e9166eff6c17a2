import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { startPostgresServer, type PostgresServer } from '../../../dev/postgres-server.js';
import { runScript, type ScriptResult } from '../script.js';

const main = new URL('../../../examples/dist/hot-account/main.js', import.meta.url);

let database: PostgresServer;
beforeAll(async () => {
  database = await startPostgresServer();
});
afterAll(() => database.stop());

async function runExample(...args: string[]): Promise<ScriptResult> {
  const { address, namespace } = inject('temporal');
  return runScript(main, args, {
    env: { POSTGRES_URL: database.url, TEMPORAL_ADDRESS: address, TEMPORAL_NAMESPACE: namespace },
  });
}

describe('npm run example:hot-account', { timeout: 240_000 }, () => {
  it('shows how it goes, kills the worker, and proves that every command was applied once', async () => {
    const { code, stdout, stderr } = await runExample('--commands', '300', '--callers', '16');
    expect(stdout).toContain('16 callers deposit to one account, by a lane for each.\n');
    expect(stdout).toMatch(/\n300 commands, \d+ a second\n {2}p50 .*, p99 .*\n/);
    expect(stdout).toMatch(/\n {2}batches of \d+ on average, of ([2-9]|1\d) at most\n/);
    expect(stdout).toMatch(/\n {2}30 were sent again after their answer, and found\n/);
    expect(stdout).toMatch(/ s from the death of the worker to the next answer\n/);
    expect(stdout).toContain('\n  300 commands answered, 300 events\n');
    expect(stdout).toContain('\n  lost 0, applied more than once 0, not asked for 0\n');
    expect(stdout).toMatch(/\nEvery command was applied exactly once.\n$/);
    // The live line, where there is no terminal.
    expect(stderr).toMatch(/\d+% \| \d+ commands\/s \| p50 \d.* \| p99 \d.* \| batches of \d/);
    expect(code).toBe(0);
  });

  it('spreads the load over accounts that share lanes', async () => {
    const { code, stdout } = await runExample(
      ...['--commands', '100', '--callers', '20', '--accounts', '10', '--lanes', '2', '--no-kill'],
    );
    expect(stdout).toContain('20 callers deposit to 10 accounts, by 2 lanes.\n');
    expect(stdout).toContain('\n  versions are 1 to n: 10 of 10 accounts\n');
    expect(stdout).not.toContain('death of the worker');
    expect(code).toBe(0);
  });
});
