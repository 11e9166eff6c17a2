import { execFile } from 'node:child_process';
import { chown, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePort } from './free-port.js';
import { serverVersion } from './postgres-server/connect.js';
import { supervise } from './supervise.js';
import { unprivilegedUser } from './unprivileged-user.js';

export interface PgBouncer {
  /** The address of the server, through PgBouncer; any database and any role can be put in. */
  readonly url: string;
  stop(): Promise<void>;
}

/**
 * PgBouncer in transaction mode in front of a server, whose address must be a superuser's with a password. It
 * does not outlive this process, however that ends.
 */
export async function startPgBouncer(serverUrl: string): Promise<PgBouncer> {
  const command = await findPgBouncer();
  const user = await unprivilegedUser();
  const folder = await mkdtemp(join(tmpdir(), 'pgbouncer-'));
  const port = await freePort();
  const server = new URL(serverUrl);
  const url = new URL(serverUrl);
  url.host = `127.0.0.1:${port}`;

  const files = {
    'pgbouncer.ini': configuration(server, port, join(folder, 'users')),
    users: `${quote(decodeURIComponent(server.username))} ${quote(decodeURIComponent(server.password))}\n`,
  };
  try {
    for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content);
    if (user.uid !== undefined && user.gid !== undefined) {
      for (const path of ['', ...Object.keys(files)]) await chown(join(folder, path), user.uid, user.gid);
    }
    const pgbouncer = await supervise({
      name: 'PgBouncer',
      command,
      args: [join(folder, 'pgbouncer.ini')],
      answers: () => serverVersion(url.href, 5_000),
      cwd: folder,
      ...user,
      // It has no state to save, and newer versions wait for their clients at any other signal.
      stopSignal: 'SIGKILL',
      removes: folder,
      logFile: join(folder, 'log'),
    });
    return { url: url.href, stop: () => pgbouncer.stop() };
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

/** Nothing is ignored or reset for the store's sake: it must get along with PgBouncer's defaults. */
function configuration(server: URL, port: number, usersFile: string): string {
  return `[databases]
* = host=${server.hostname} port=${server.port || '5432'}

[pgbouncer]
pool_mode = transaction
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = ${usersFile}
auth_user = ${decodeURIComponent(server.username)}
max_client_conn = 1000
`;
}

/** On `PATH`, or where Debian puts it, which a user's `PATH` may not have. */
async function findPgBouncer(): Promise<string> {
  for (const command of ['pgbouncer', '/usr/sbin/pgbouncer']) {
    const found = await promisify(execFile)(command, ['--version']).then(
      () => true,
      () => false,
    );
    if (found) return command;
  }
  throw new Error('PgBouncer is not installed. On Debian: apt-get install pgbouncer');
}

function quote(value: string): string {
  return `"${value.replaceAll('"', '""')}"`;
}
