import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { createFilledDatabase } from '../support/event-rows.js';

// Ten million in the long form.
const total = Number(process.env['MEMORY_EVENTS'] ?? 300_000);
const megabytes = 48;
const timeout = 60_000 + total;

let directUrl: string;
beforeAll(async () => {
  directUrl = await createFilledDatabase(total);
}, timeout);

/** In a process whose heap can't grow; see test/support/iterate-process.ts. */
async function readAll(how: 'iterate' | 'collect') {
  const child = spawn(
    process.execPath,
    [
      `--max-old-space-size=${megabytes}`,
      '--import',
      'tsx',
      fileURLToPath(new URL('../support/iterate-process.ts', import.meta.url)),
    ],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        ...process.env,
        TSX_TSCONFIG_PATH: fileURLToPath(new URL('../../tsconfig.build.json', import.meta.url)),
        STORE_URL: directUrl,
        HOW: how,
      },
    },
  );
  onTestFinished(() => void child.kill('SIGKILL'));
  const [output, errors] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
  return { output, errors };
}

describe(`a process with a heap of ${megabytes} MB`, () => {
  test('iterates over more events than it could hold', { timeout }, async () => {
    const { output, errors } = await readAll('iterate');

    expect(errors).toBe('');
    const { count, mostHeap } = JSON.parse(output) as { count: number; mostHeap: number };
    expect(count).toBe(total);
    expect(mostHeap).toBeLessThan(megabytes * 1_000_000);
  });

  test('dies when it collects them', { timeout }, async () => {
    const { output, errors } = await readAll('collect');

    expect(output).toBe('');
    expect(errors).toContain('heap out of memory');
  });
});
