import { describe, expect, inject, it } from 'vitest';
import { runScript, type ScriptResult } from '../script.js';

const main = new URL('../../../examples/dist/hot-account/main.js', import.meta.url);

async function runExample(...args: string[]): Promise<ScriptResult> {
  const { address, namespace } = inject('temporal');
  return runScript(main, args, {
    env: { POSTGRES_URL: '', TEMPORAL_ADDRESS: address, TEMPORAL_NAMESPACE: namespace },
  });
}

describe('npm run example:hot-account', () => {
  it.each([
    [['--accounts', 'many'], '--accounts many is not a positive whole number.\n'],
    [['--commands', '5', '--seconds', '5'], /^--seconds and --commands are two ways/],
    [['--amount', '5'], /^Unknown option '--amount'/],
  ])('says in one line what is wrong with %j', async (args, line) => {
    const { code, stdout, stderr } = await runExample(...args);
    expect(stderr).toMatch(line);
    expect(stderr.trim()).not.toContain('\n');
    expect(stdout).toBe('');
    expect(code).toBe(1);
  });

  it('says what to do where there is no PostgreSQL server', async () => {
    const { code, stdout, stderr } = await runExample();
    expect(stderr).toMatch(/^POSTGRES_URL is not set: .*\n {2}docker run .*\n {2}export POSTGRES_URL=/);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  });
});
