import { readFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { PGliteEventStore } from 'temporal-event-store/pglite';
import { describe, expect, it } from 'vitest';
import { temporaryFile } from '../../support/temporary-file.js';
import { runExample, storeFolder } from './run-example.js';

describe('npm run example:event-log', { timeout: 180_000 }, () => {
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
