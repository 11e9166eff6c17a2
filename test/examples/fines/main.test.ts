import { dirname } from 'node:path';
import { describe, expect, inject, it } from 'vitest';
import { temporaryFile } from '../../support/temporary-file.js';
import { runScript, type ScriptResult } from '../script.js';

const main = new URL('../../../examples/dist/fines/main.js', import.meta.url);

async function runExample(...args: string[]): Promise<ScriptResult> {
  const { address, namespace } = inject('temporal');
  const store = `${dirname(await temporaryFile('beside', ''))}/store`;
  return runScript(main, args, {
    env: { POSTGRES_URL: '', FINES_STORE: store, TEMPORAL_ADDRESS: address, TEMPORAL_NAMESPACE: namespace },
  });
}

describe('npm run example:fines', () => {
  it.each([
    ['--limit 0', ['--limit', '0'], '--limit 0 is not a positive whole number.'],
    ['two logs', ['a.csv', 'b.csv'], 'One log at a time.'],
    ['an unknown option', ['--fast'], "Unknown option '--fast'"],
    ['no such file', ['/no/such/log.xes'], '/no/such/log.xes: there is no such file.'],
  ])('refuses %s before it starts anything', async (_what, args, problem) => {
    const { code, stdout, stderr } = await runExample(...args);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain(problem);
  });
});
