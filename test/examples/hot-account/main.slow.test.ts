import { expect, inject, it } from 'vitest';
import { runScript, type ScriptResult } from '../script.js';

const main = new URL('../../../examples/hot-account/main.ts', import.meta.url);

async function runExample(...args: string[]): Promise<ScriptResult> {
  const { address, namespace } = inject('temporal');
  return runScript(main, args, { env: { TEMPORAL_ADDRESS: address, TEMPORAL_NAMESPACE: namespace } });
}

it(
  'npm run example:hot-account spreads the load over accounts that share lanes',
  { timeout: 240_000 },
  async () => {
    const { code, stdout } = await runExample(
      ...['--commands', '100', '--callers', '20', '--accounts', '10', '--lanes', '2', '--no-kill'],
    );
    expect(stdout).toContain('20 callers deposit to 10 accounts, by 2 lanes.\n');
    expect(stdout).toContain('\n  versions are 1 to n: 10 of 10 accounts\n');
    expect(stdout).not.toContain('death of the worker');
    expect(code).toBe(0);
  },
);
