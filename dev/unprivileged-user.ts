import { readFile } from 'node:fs/promises';

/** Whom to run a server as that refuses to run as root; nothing unless this process is root's. */
export interface User {
  readonly uid?: number;
  readonly gid?: number;
}

/** `nobody`, which every system has: no user need be created, and it owns no files that could be harmed. */
export async function unprivilegedUser(): Promise<User> {
  if (process.getuid?.() !== 0) return {};
  const nobody = /^nobody:[^:]*:(\d+):(\d+):/m.exec(await readFile('/etc/passwd', 'utf8'));
  if (nobody === null) {
    throw new Error('PostgreSQL refuses to run as root, and /etc/passwd has no user "nobody" to run it as.');
  }
  return { uid: Number(nobody[1]), gid: Number(nobody[2]) };
}
