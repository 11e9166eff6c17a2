import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { appendFile, chown, cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { freePort } from '../free-port.js';
import { supervise, type Supervised } from '../supervise.js';
import { unprivilegedUser, type User } from '../unprivileged-user.js';
import type { PostgresBinaries } from './binaries.js';
import { serverVersion } from './connect.js';
import { killHard } from './kill-hard.js';

const defaults = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  max_connections: '200',
  max_prepared_transactions: '10',
  wal_level: 'logical',
};
const stopSignals = { smart: 'SIGTERM', fast: 'SIGINT', immediate: 'SIGQUIT' } as const;

/** A PostgreSQL cluster of its own in a temporary folder: it can be stopped, killed and started again. */
export interface Cluster {
  /** As the superuser, to the database `postgres`; the same after each start. */
  readonly url: string;
  readonly dataDir: string;
  readonly binaries: PostgresBinaries;
  /** What differs from PostgreSQL's own defaults. */
  readonly settings: Readonly<Record<string, string>>;
  /** Starts the server and waits until it answers. */
  start(): Promise<void>;
  /** `fast` by default, which lets no transaction finish; see PostgreSQL's `pg_ctl stop`. */
  stop(mode?: keyof typeof stopSignals): Promise<void>;
  /** Ends all processes of the server by SIGKILL and waits until they are gone. */
  killHard(): Promise<void>;
  /** What the server has logged. */
  log(): Promise<string>;
  /** Ends the server, if it runs, and removes its files. */
  remove(): Promise<void>;
}

/** What it takes to run one of the programs for a cluster. */
interface ClusterPrograms {
  readonly dataDir: string;
  readonly password: string;
  readonly run: (program: string, args: readonly string[]) => Promise<void>;
}

export interface ClusterOptions {
  readonly settings?: Readonly<Record<string, string>>;
  /** Makes the data folder; with `initdb` by default. */
  readonly fill?: (programs: ClusterPrograms) => Promise<void>;
  /** The superuser's password; random by default. */
  readonly password?: string;
}

/** A cluster that is filled but not started. It does not outlive this process. */
export async function createCluster(
  installed: PostgresBinaries,
  options: ClusterOptions = {},
): Promise<Cluster> {
  const user = await unprivilegedUser();
  const folder = await mkdtemp(join(tmpdir(), 'postgres-'));
  const remove = () => rm(folder, { recursive: true, force: true });
  try {
    await give(folder, user);
    const binaries = await executableBy(user, installed, join(folder, 'native'));
    const dataDir = join(folder, 'data');
    const password = options.password ?? randomBytes(12).toString('hex');
    const port = await freePort();
    const settings = { ...defaults, ...options.settings, port: String(port) };
    const run = async (program: string, args: readonly string[]) => {
      await promisify(execFile)(join(binaries.folder, program), args, { ...user, cwd: folder });
    };
    await (options.fill ?? initialise)({ dataDir, password, run });
    await appendFile(join(dataDir, 'postgresql.conf'), toConf(settings));

    const logFile = join(folder, 'log');
    const url = `postgres://postgres:${password}@127.0.0.1:${port}/postgres`;
    let server: Supervised | undefined;
    const postmaster = async () => parseInt(await readFile(join(dataDir, 'postmaster.pid'), 'utf8'));
    return {
      url,
      dataDir,
      binaries,
      settings,
      async start() {
        server = await supervise({
          name: 'PostgreSQL server',
          command: join(binaries.folder, 'postgres'),
          args: ['-D', dataDir],
          answers: () => serverVersion(url, 5_000),
          cwd: folder,
          ...user,
          stopSignal: 'SIGQUIT',
          removes: folder,
          logFile,
        });
      },
      async stop(mode = 'fast') {
        process.kill(await postmaster(), stopSignals[mode]);
        await server?.ended;
      },
      async killHard() {
        await killHard(await postmaster());
        await server?.ended;
      },
      log: () => readFile(logFile, 'utf8'),
      async remove() {
        await server?.stop();
        await remove();
      },
    };
  } catch (error) {
    await remove();
    throw error;
  }
}

async function initialise({ dataDir, password, run }: ClusterPrograms): Promise<void> {
  const passwordFile = `${dataDir}.password`;
  await writeFile(passwordFile, password);
  // The server itself syncs; what this makes is lost only with the whole machine.
  // prettier-ignore
  await run('initdb', [
    '--pgdata', dataDir, '--username', 'postgres', '--auth', 'scram-sha-256', '--pwfile', passwordFile,
    '--encoding', 'UTF8', '--locale', 'C', '--no-sync',
  ]);
  await rm(passwordFile);
}

function toConf(settings: Readonly<Record<string, string>>): string {
  return Object.entries(settings)
    .map(([name, value]) => `${name} = '${value.replace(/['\\]/g, '$&$&')}'\n`)
    .join('');
}

async function give(path: string, { uid, gid }: User): Promise<void> {
  if (uid !== undefined && gid !== undefined) await chown(path, uid, gid);
}

/** The programs where this user can run them: not below a folder that is closed to it, as root's home is. */
async function executableBy(user: User, binaries: PostgresBinaries, copy: string): Promise<PostgresBinaries> {
  try {
    await promisify(execFile)(join(binaries.folder, 'postgres'), ['--version'], { ...user, cwd: '/' });
    return binaries;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EACCES') throw error;
    await cp(dirname(binaries.folder), copy, { recursive: true, verbatimSymlinks: true });
    return { ...binaries, folder: join(copy, basename(binaries.folder)) };
  }
}
