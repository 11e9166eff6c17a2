import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { figureFile, OptionError, readOptions } from '../../../examples/event-log/options.js';
import { temporaryFile } from '../../support/temporary-file.js';

function callNpmFrom(folder: string | undefined): void {
  vi.stubEnv('INIT_CWD', folder);
  onTestFinished(() => void vi.unstubAllEnvs());
}

describe('the options of the example', () => {
  it.each([
    ['/logs', [], { log: undefined, out: undefined }],
    ['/logs', ['a.csv', '--out', 'b.svg'], { log: '/logs/a.csv', out: '/logs/b.svg' }],
    ['/logs', ['/a.csv'], { log: '/a.csv', out: undefined }],
    [undefined, ['a.csv'], { log: resolve('a.csv'), out: undefined }],
  ])('called from %s, %j are read', (folder, args, options) => {
    callNpmFrom(folder);
    expect(readOptions(args)).toEqual(options);
  });

  it.each([
    [['a', 'b'], 'One log at a time: b is a second one.'],
    [['--in', 'a'], "Unknown option '--in'"],
  ])('%j are refused', (args, problem) => {
    expect(() => readOptions(args)).toThrow(OptionError);
    expect(() => readOptions(args)).toThrow(expect.objectContaining({ name: 'OptionError' }));
    expect(() => readOptions(args)).toThrow(problem);
  });
});

describe('the file of the figure', () => {
  const fingerprint = '0123456789abcdef0123456789abcdef';

  it('is among the temporary ones unless it is named', async () => {
    const file = await figureFile({ log: undefined, out: undefined }, fingerprint);
    expect(file).toBe(join(tmpdir(), 'event-log-0123456789abcdef.svg'));
  });

  it('gets a folder, and keeps what is in it until there is a figure', async () => {
    const there = await temporaryFile('a.svg', 'a figure');
    expect(await figureFile({ log: undefined, out: there }, fingerprint)).toBe(there);
    expect(await readFile(there, 'utf8')).toBe('a figure');
    const deep = join(dirname(there), 'b/c.svg');
    expect(await figureFile({ log: undefined, out: deep }, fingerprint)).toBe(deep);
    expect(await readFile(deep, 'utf8')).toBe('');
  });

  it('is refused where nothing can be written, with what the system said', async () => {
    const out = join(await temporaryFile('a.svg', ''), 'b.svg');
    await expect(figureFile({ log: undefined, out }, fingerprint)).rejects.toThrow(OptionError);
    await expect(figureFile({ log: undefined, out }, fingerprint)).rejects.toMatchObject({
      message: expect.stringContaining('with --out') as unknown,
      cause: { syscall: expect.any(String) as unknown },
    });
  });
});
