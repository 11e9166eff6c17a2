import { cpus, totalmem } from 'node:os';
import { withClient } from '../databases.js';

/** Where something was measured. */
export interface Machine {
  readonly cores: number;
  readonly cpu: string;
  readonly memoryGiB: number;
  readonly node: string;
  readonly postgres: string;
  /** Settings of the server that decide about its speed. */
  readonly settings: Readonly<Record<string, string>>;
}

const settingNames = ['fsync', 'synchronous_commit', 'full_page_writes', 'shared_buffers', 'max_wal_size'];

export async function describeMachine(serverUrl: string): Promise<Machine> {
  return withClient(serverUrl, async (client) => {
    const show = async (name: string) => {
      const { rows } = await client.query<Record<string, string>>(`show ${name}`);
      return rows[0]![name]!;
    };
    const settings: Record<string, string> = {};
    for (const name of settingNames) settings[name] = await show(name);
    return {
      cores: cpus().length,
      cpu: cpus()[0]?.model.trim() ?? 'unknown',
      memoryGiB: Math.round(totalmem() / 2 ** 30),
      node: process.versions.node,
      postgres: (await show('server_version')).split(' ')[0]!,
      settings,
    };
  });
}

export function toLine({ cores, memoryGiB, node, postgres, settings }: Machine): string {
  const fsync = settings['fsync'] === 'on' ? '' : ', fsync off';
  return `${cores} cores, ${memoryGiB} GB, Node ${node}, PostgreSQL ${postgres}${fsync}`;
}
