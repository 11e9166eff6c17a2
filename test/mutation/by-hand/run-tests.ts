import { existsSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { join, relative } from 'node:path';
import type { Mutation } from './mutation.js';
import { runProgram } from './run-program.js';

/** A test that was run. */
interface RunTest {
  readonly file: string;
  readonly name: string;
  readonly passed: boolean;
}

export type TestRun =
  /** `fault`: the first test that failed, or what else did. */
  | { readonly kind: 'ran'; readonly tests: readonly RunTest[]; readonly fault: string | undefined }
  | { readonly kind: 'timed out' }
  /** Nothing was built or found, or no test could begin. */
  | { readonly kind: 'nothing ran'; readonly output: string };

interface Report {
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly message: string;
    readonly assertionResults: readonly { readonly fullName: string; readonly status: string }[];
  }[];
}

const buildTimeout = 60_000;

/** Builds the package in a folder, and runs tests on it. */
export async function runTests(
  folder: string,
  { project, tests, pattern }: Pick<Mutation, 'project' | 'tests' | 'pattern'>,
  { timeout, bail }: { readonly timeout: number; readonly bail: boolean },
): Promise<TestRun> {
  const build = await runProgram('npm', ['run', 'build:js'], { cwd: folder, timeout: buildTimeout });
  if (build.code !== 0) return { kind: 'nothing ran', output: build.output };

  const reportFile = join(folder, 'report.json');
  await rm(reportFile, { force: true });
  const { code, isTimedOut, output } = await runProgram(
    'npx',
    ['vitest', 'run', '--project', project, ...tests]
      .concat(pattern === undefined ? [] : ['-t', pattern])
      .concat(bail ? ['--bail', '1'] : [])
      .concat('--reporter=default', '--reporter=json', `--outputFile=${reportFile}`),
    { cwd: folder, timeout },
  );
  if (isTimedOut) return { kind: 'timed out' };
  if (!existsSync(reportFile)) return { kind: 'nothing ran', output };
  const { testResults } = JSON.parse(await readFile(reportFile, 'utf8')) as Report;
  const ran = testResults.flatMap(({ name, assertionResults }) =>
    assertionResults
      .filter(({ status }) => status === 'passed' || status === 'failed')
      .map(({ fullName, status }) => ({
        file: relative(folder, name),
        name: fullName,
        passed: status === 'passed',
      })),
  );
  if (ran.length === 0) return { kind: 'nothing ran', output };
  // What the workers logged fails a file without a test.
  const file = testResults.find(({ status }) => status === 'failed');
  const fault =
    code === 0
      ? undefined
      : (ran.find(({ passed }) => !passed)?.name ??
        file?.message.split('\n')[0] ??
        'an error outside of the tests');
  return { kind: 'ran', tests: ran, fault };
}
