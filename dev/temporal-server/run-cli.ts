import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { connect } from './connect.js';

const supervisor = fileURLToPath(new URL('./supervisor.mjs', import.meta.url));
const START_TIMEOUT = 60_000;

/** Starts an in-memory development server on a free port and waits until it answers. */
export async function runTemporalCli(
  cli: string,
  namespace: string,
): Promise<{ address: string; stop(): Promise<void> }> {
  const port = await freePort();
  const address = `127.0.0.1:${port}`;
  // prettier-ignore
  const args = [
    'server', 'start-dev', '--headless', '--ip', '127.0.0.1', '--port', String(port),
    '--namespace', namespace, '--log-level', 'error',
  ];
  const server = spawn(process.execPath, [supervisor, cli, ...args], {
    stdio: ['pipe', 'ignore', 'pipe'],
    // Ctrl+C reaches only this process, which can so finish its work with the server before it stops it.
    detached: true,
  });
  let errors = '';
  server.stderr.setEncoding('utf8').on('data', (text: string) => (errors = (errors + text).slice(-2_000)));
  const exited = once(server, 'exit');
  const stop = async () => {
    server.ref();
    server.stdin.end();
    await exited;
  };

  const deadline = Date.now() + START_TIMEOUT;
  while (
    !(await connect(address, namespace, 500).then(
      () => true,
      () => false,
    ))
  ) {
    if (server.exitCode !== null || Date.now() > deadline) {
      await stop();
      throw new Error(`\`${[cli, ...args].join(' ')}\` did not become a Temporal server: ${errors.trim()}`);
    }
    await delay(50);
  }
  // A script that forgets `stop`, or fails before it, can end.
  server.unref();
  for (const stream of [server.stdin, server.stderr]) (stream as unknown as { unref(): void }).unref();
  return { address, stop };
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, 'close');
  return port;
}
