import assert from 'node:assert/strict';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startTemporalServer } from '../../dev/temporal-server.js';
import { findTemporalCli } from '../../dev/temporal-server/find-cli.js';
import { install, installedPackages, pack } from './install.js';
import { checkPackageFiles } from './package-files.js';
import { run } from './process.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const consumers = fileURLToPath(new URL('./consumers', import.meta.url));
const started = performance.now();

function ok(claim: string): void {
  console.log(`ok  ${claim}  [${((performance.now() - started) / 1000).toFixed(0)} s]`);
}

async function checkWithoutTemporal(folder: string): Promise<void> {
  await install(folder);
  assert.deepEqual(await installedPackages(folder), ['lru-cache', 'temporal-event-store']);
  ok('no-temporal: installs alone, without a word about peers');

  const { files, bytes } = await checkPackageFiles(
    join(folder, 'node_modules', 'temporal-event-store'),
    root,
  );
  ok(
    `package: ${files} files of ${(bytes / 1e6).toFixed(1)} MB, those it should have and no other, without a path of this machine`,
  );

  await runProgram(folder, 'no-temporal', 'esm.mjs');
  await runProgram(folder, 'no-temporal', 'cjs.cjs');
}

/** These consumers are workspaces, so that one real install serves them all. */
async function checkWithTemporal(folder: string): Promise<void> {
  await install(folder);
  ok('workspace: installs with the oldest peers that their ranges allow');

  const program = (consumer: string, file: string, env?: Record<string, string>): Promise<void> =>
    runProgram(join(folder, consumer), consumer, file, env);
  const compile = async (consumer: string, config: string): Promise<void> => {
    await run(process.execPath, ['../node_modules/typescript/bin/tsc', '-p', config], {
      cwd: join(folder, consumer),
    });
    ok(`${consumer}: ${config} compiles`);
  };

  await program('esm', 'exports.js');
  await program('cjs', 'exports.js');
  await program('esm', 'stores.js');
  await program('cjs', 'stores.js');
  await program('bundle', 'measure.js');
  await program('bundle-cjs', 'bundle.js');
  await compile('ts-bundler', 'tsconfig.json');
  await compile('ts-bundler', 'tsconfig.temporal.json');
  await program('ts-bundler', 'bundle.js');
  await compile('ts-nodenext', 'tsconfig.json');
  await program('ts-nodenext', 'out/required.cjs');
  await program('ts-nodenext', 'out/stores.js');
  await compile('ts-node10', 'tsconfig.json');
  await program('ts-node10', 'out/main.js');

  const server = await startTemporalServer();
  try {
    const env = { TEMPORAL_ADDRESS: server.address, TEMPORAL_NAMESPACE: server.namespace };
    await program('esm', 'worker.js', env);
    await program('cjs', 'worker.js', env);
    await program('ts-nodenext', 'out/worker.js', env);
  } finally {
    await server.stop();
  }
}

/** The examples as a user has them: a copy of the folder, and the package from the registry. */
async function checkExamples(folder: string, tarball: string): Promise<void> {
  await cp(join(root, 'examples'), folder, {
    recursive: true,
    filter: (path) => !/[\\/](dist|node_modules|\.store)$/.test(path),
  });
  await install(folder, tarball);
  ok('examples: a copy of the folder installs with the package');

  const { path } = await findTemporalCli(console.log);
  const env = { POSTGRES_URL: '', TEMPORAL_ADDRESS: '', TEMPORAL_CLI_PATH: path };
  const { stdout } = await run('npm', ['run', 'fines'], { cwd: folder, env });
  assert.match(stdout, /\d+ commands, \d+ of them new, in /);
  ok('examples: npm run fines compiles with types, and runs to its end on a server of its own');

  const story = await run(process.execPath, ['dist/payment/main.js'], { cwd: folder, env });
  assert.match(story.stdout, /workflow payment-payment-9-\w+: completed\n/);
  ok('examples: the compiled story of the payments runs to its end');
}

/** A program of a consumer writes a line for each thing that it found to be so, and fails otherwise. */
async function runProgram(cwd: string, consumer: string, file: string, env = {}): Promise<void> {
  const { stdout } = await run(process.execPath, [file], { cwd, env });
  const claims = stdout.split('\n').filter((line) => line !== '');
  assert.ok(claims.length > 0, `${consumer}/${file} claims something`);
  for (const claim of claims) ok(`${consumer}: ${claim}`);
}

// Ctrl+C ends the program that runs, and this one cleans up after its failure.
process.on('SIGINT', () => undefined);
const folder = await mkdtemp(join(tmpdir(), 'temporal-event-store-'));
try {
  ok('package: builds');
  await cp(consumers, folder, { recursive: true });
  const tarball = join(folder, 'temporal-event-store.tgz');
  await pack(root, tarball);
  await checkWithoutTemporal(join(folder, 'no-temporal'));
  await checkWithTemporal(join(folder, 'with-temporal'));
  await checkExamples(join(folder, 'examples'), tarball);
} catch (error) {
  console.error(error instanceof Error ? `FAILED  ${error.stack ?? error.message}` : error);
  process.exitCode = 1;
} finally {
  await rm(folder, { recursive: true, force: true });
}
