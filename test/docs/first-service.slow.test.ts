import { execFile, spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, inject, it, onTestFinished } from 'vitest';
import { createDatabase } from '../support/postgres.js';
import { documentSnippets } from './snippets.js';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** A folder as a newcomer has it after `npm install`, with the files of the guide. */
function followGuide(): string {
  // Inside the project, where the packages that the guide installs are found.
  const folder = mkdtempSync(`${root}test/docs/.first-service-`);
  onTestFinished(() => {
    rmSync(folder, { recursive: true });
  });
  const installed = join(folder, 'node_modules', 'temporal-event-store');
  mkdirSync(installed, { recursive: true });
  cpSync(`${root}package.json`, join(installed, 'package.json'));
  symlinkSync(`${root}dist`, join(installed, 'dist'));
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  // Else tsx takes that of the project, by which the package is its sources.
  writeFileSync(join(folder, 'tsconfig.json'), '{}');
  const files = documentSnippets().filter(({ place }) => place.startsWith('docs/guide/first-service.md'));
  for (const { name, code } of files) writeFileSync(join(folder, name), code);
  return folder;
}

const tsx = fileURLToPath(import.meta.resolve('tsx/cli'));

it(
  'the files of "Your first service" do what the guide says, also when the service runs twice',
  { timeout: 120_000 },
  async () => {
    const folder = followGuide();
    const database = await createDatabase();
    const env = {
      ...process.env,
      TEMPORAL_ADDRESS: inject('temporal').address,
      POSTGRES_URL: database.directUrl,
    };
    const run = async (...args: string[]): Promise<string> =>
      (await promisify(execFile)(process.execPath, [tsx, ...args], { cwd: folder, env })).stdout;

    expect(await run('--test', 'account.test.ts')).toMatch(/pass 2\n.*fail 0/);

    const worker = spawn(process.execPath, [tsx, 'worker.ts'], { cwd: folder, env });
    onTestFinished(() => void worker.kill('SIGTERM'));
    let said = '';
    for (const output of [worker.stdout, worker.stderr]) {
      output.on('data', (part: Buffer) => (said += String(part)));
    }
    worker.on('exit', () => (said += 'It has ended.'));
    await expect.poll(() => said, { timeout: 30_000 }).toMatch(/The worker runs|It has ended/);
    expect(said).toContain('The worker runs');
    for (const _ of ['once', 'twice']) {
      expect(await run('service.ts')).toBe("[ { account: 'Account-7', amount: '5' } ]\nNot enough money\n");
    }
  },
);

it('the commands of "Your first service" install what its files import', () => {
  const guide = readFileSync(`${root}docs/guide/first-service.md`, 'utf8');
  const installed = [...guide.matchAll(/^npm install (?:--save-dev )?(.*)$/gm)].flatMap(([, names = '']) =>
    names.split(' '),
  );
  const imported = [...guide.matchAll(/from '([^'./][^']*)'/g)]
    .flatMap(([, name = '']) => /^(@[^/]+\/)?[^/]+/.exec(name)?.[0] ?? [])
    .filter((name) => !name.startsWith('node:'));
  expect(installed).toEqual(expect.arrayContaining([...new Set(imported)]));
});
