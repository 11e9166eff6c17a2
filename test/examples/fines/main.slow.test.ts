import { dirname } from 'node:path';
import { expect, inject, it } from 'vitest';
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

it(
  'npm run example:fines imports the sample and shows the totals and what was against the rules',
  { timeout: 180_000 },
  async () => {
    const { code, stdout, stderr } = await runExample();
    expect(code).toBe(0);
    expect(stdout).toContain('35 commands, 35 of them new, in ');
    expect(stdout).toContain(
      [
        'Fines and payments',
        '  Year  Fines   Amount  Payments   Amount',
        '  2021      1   €41.00         0    €0.00',
        '  2022      4  €330.40         5  €540.00',
        '  2023      2   €71.40         2   €71.90',
        '',
        'Against the rules, and recorded as such: 2',
        '  2022-10-03  T5  send: PAID_IN_FULL',
        '  2024-07-01  T7  collect: PAID_IN_FULL',
      ].join('\n'),
    );
    // The progress, where there is no terminal.
    expect(stderr).toMatch(/100% \| 35\/35 events/);
  },
);
