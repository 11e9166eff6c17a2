import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { startPostgresServer, type PostgresServer } from './postgres-server.js';
import { findTemporalCli } from './temporal-server/find-cli.js';

// Runs a compiled example as its user would, and gives it what it finds on a user's machine: `tsx dev/run-example.ts NAME [ARGUMENT …]`.
const [name = '', ...args] = process.argv.slice(2);
const main = fileURLToPath(new URL(`../examples/dist/${name}/main.js`, import.meta.url));

const env = { ...process.env };
if (!env['TEMPORAL_ADDRESS']) {
  env['TEMPORAL_CLI_PATH'] = (await findTemporalCli((line) => void process.stderr.write(`${line}\n`))).path;
}
let database: PostgresServer | undefined;
if (name === 'hot-account') {
  database = await startPostgresServer();
  env['POSTGRES_URL'] = database.url;
}
try {
  const example = spawn(process.execPath, [main, ...args], { stdio: 'inherit', env });
  // Ctrl+C is the example's to answer, which it reaches too; SIGTERM doesn't.
  process.on('SIGINT', () => undefined);
  process.on('SIGTERM', () => example.kill('SIGTERM'));
  const [code] = (await once(example, 'exit')) as [number | null];
  process.exitCode = code ?? 1;
} finally {
  await database?.stop();
}
