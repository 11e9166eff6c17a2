import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { Mutation } from './mutation.js';
import { mutations } from './mutations.js';
import { killAll } from './run-program.js';
import { runTests } from './run-tests.js';
import { makeScratchCopy, type ScratchCopy } from './scratch-copy.js';

/** Milliseconds for the tests of one mutation. What makes them hang is caught like what makes them fail. */
const timeout = 3 * 60_000;
/** The control runs all that is needed of a project at once. */
const controlTimeout = 10 * 60_000;

const root = fileURLToPath(new URL('../../..', import.meta.url));
const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { list: { type: 'boolean', default: false } },
});
const numbered = mutations.map((mutation, index) => ({ number: index + 1, mutation }));
const chosen = numbered.filter(
  ({ number, mutation }) =>
    positionals.length === 0 || positionals.some((wanted) => isMeant(wanted, number, mutation)),
);
assert(chosen.length > 0, 'There is no such mutation; see --list.');
await assertFit();

if (values.list) {
  for (const { number, mutation } of chosen) console.log(`${number}. ${mutation.name} (${mutation.file})`);
} else {
  const copy = await makeScratchCopy(root);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      killAll();
      void copy.remove().finally(() => process.exit(130));
    });
  }
  try {
    await runControl(copy);
    await tryAll(copy);
  } finally {
    await copy.remove();
  }
}

function isMeant(wanted: string, number: number, { name, file }: Mutation): boolean {
  if (/^\d+$/.test(wanted)) return Number(wanted) === number;
  return `${name} ${file}`.toLowerCase().includes(wanted.toLowerCase());
}

/** The sources go on; a mutation that has lost its place must be given another. */
async function assertFit(): Promise<void> {
  for (const { number, mutation } of chosen) {
    const { name, file, find, replace } = mutation;
    const text = await readFile(join(root, file), 'utf8');
    const places = text.split(find).length - 1;
    assert.equal(places, 1, `Mutation ${number} (${name}): ${file} has its text ${places} times, not once.`);
    assert.notEqual(find, replace, `Mutation ${number} (${name}) changes nothing.`);
  }
}

/** Without a mutation, all the tests that are asked pass; and there are some for each. */
async function runControl({ folder }: ScratchCopy): Promise<void> {
  for (const project of ['unit', 'temporal', 'postgres'] as const) {
    const asked = chosen.map(({ mutation }) => mutation).filter((mutation) => mutation.project === project);
    if (asked.length === 0) continue;
    const started = performance.now();
    const patterns = asked.map(({ pattern }) => pattern);
    const run = await runTests(
      folder,
      {
        project,
        tests: [...new Set(asked.flatMap(({ tests }) => tests))],
        ...(patterns.every((pattern) => pattern !== undefined) && { pattern: patterns.join('|') }),
      },
      { timeout: controlTimeout, bail: false },
    );
    if (run.kind !== 'ran') throw new Error(`The control on ${project} ${run.kind}.\n${outputOf(run)}`);
    if (run.fault !== undefined) throw new Error(`The control on ${project} fails: ${run.fault}`);
    for (const { name, tests, pattern = '' } of asked) {
      const own = run.tests.filter(
        (test) => tests.includes(test.file) && new RegExp(pattern).test(test.name),
      );
      assert(own.length > 0, `No test of ${tests.join(', ')} is asked about: ${name}.`);
    }
    console.log(`The control on ${project}: ${run.tests.length} tests pass  [${secondsSince(started)} s]`);
  }
}

async function tryAll(copy: ScratchCopy): Promise<void> {
  const started = performance.now();
  const counts = { caught: 0, survived: 0, broken: 0 };
  for (const { number, mutation } of chosen) {
    const begun = performance.now();
    const run = await copy.with(mutation, () => runTests(copy.folder, mutation, { timeout, bail: true }));
    const [end, says] = endOf(run);
    counts[end]++;
    console.log(`${end.padEnd(8)} ${number}. ${mutation.name}  [${secondsSince(begun)} s]\n         ${says}`);
  }
  const { caught, survived, broken } = counts;
  console.log(`\n${caught} caught, ${survived} survived  [${secondsSince(started)} s]`);
  if (broken > 0) console.log(`${broken} could not be tried: mend them.`);
  process.exitCode = survived + broken > 0 ? 1 : 0;
}

function endOf(
  run: Awaited<ReturnType<typeof runTests>>,
): readonly [end: 'caught' | 'survived' | 'broken', says: string] {
  if (run.kind === 'timed out') return ['caught', `by the limit of ${timeout / 1_000} s`];
  if (run.kind === 'nothing ran') return ['broken', outputOf(run)];
  return run.fault === undefined ? ['survived', 'all tests pass'] : ['caught', `by: ${run.fault}`];
}

function outputOf(run: Awaited<ReturnType<typeof runTests>>): string {
  return run.kind === 'nothing ran' ? run.output.slice(-3_000) : '';
}

function secondsSince(started: number): string {
  return ((performance.now() - started) / 1_000).toFixed(0);
}
