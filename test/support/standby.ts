import { execFile } from 'node:child_process';
import { access, appendFile, chown, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Client } from 'pg';
import { createCluster, type Cluster } from '../../dev/postgres-server/cluster.js';
import { unprivilegedUser } from '../../dev/unprivileged-user.js';

/**
 * A hot standby that will stream from this server: made with `pg_basebackup` where it is installed, else in the same steps
 * by SQL, since npm's PostgreSQL has the server's programs only. Filled, but not started.
 */
export async function createStandby(primary: Cluster): Promise<Cluster> {
  const { binaries, settings, url, dataDir: source } = primary;
  const hasBaseBackup = await access(join(binaries.folder, 'pg_basebackup')).then(
    () => true,
    () => false,
  );
  return createCluster(binaries, {
    settings,
    password: new URL(url).password,
    fill: ({ dataDir, run }) =>
      hasBaseBackup
        ? // prettier-ignore
          run('pg_basebackup', [
            '--dbname', url, '--pgdata', dataDir, '--write-recovery-conf', '--checkpoint', 'fast', '--no-sync',
          ])
        : copyBase(url, source, dataDir),
  });
}

/** https://www.postgresql.org/docs/current/continuous-archiving.html#BACKUP-LOWLEVEL-BASE-BACKUP */
async function copyBase(url: string, source: string, target: string): Promise<void> {
  const client = new Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  try {
    await client.query(`select pg_backup_start('standby', true)`);
    const user = await unprivilegedUser();
    await promisify(execFile)('cp', ['-a', source, target], { ...user, cwd: '/' });
    for (const name of ['postmaster.pid', 'postmaster.opts']) await rm(join(target, name), { force: true });
    const { rows } = await client.query<{ labelfile: string }>('select labelfile from pg_backup_stop(false)');
    const files = {
      backup_label: rows[0]?.labelfile ?? '',
      'standby.signal': '',
      'postgresql.auto.conf': `primary_conninfo = '${url}'\n`,
    };
    for (const [name, content] of Object.entries(files)) {
      const path = join(target, name);
      await (name.endsWith('.conf') ? appendFile : writeFile)(path, content);
      if (user.uid !== undefined && user.gid !== undefined) await chown(path, user.uid, user.gid);
    }
  } finally {
    await client.end();
  }
}
