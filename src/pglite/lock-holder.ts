import { readFile, readlink } from 'node:fs/promises';
import { hostname } from 'node:os';

/** The holder of a lock, as the lock file names it. */
export interface Holder {
  /** The id of one attempt to lock; each attempt has another. */
  readonly id: string;
  readonly pid: number;
  /** Only where the system tells it (Linux), like the next two. */
  readonly startedAt?: string;
  readonly boot?: string;
  /** The namespace of the process number: a container has its own. */
  readonly namespace?: string;
  readonly host: string;
}

export async function thisProcess(): Promise<Holder> {
  const [startedAt, boot, namespace] = await Promise.all([
    startTimeOf(process.pid),
    readFile('/proc/sys/kernel/random/boot_id', 'utf8').then((id) => id.trim(), ignore),
    readlink('/proc/self/ns/pid').catch(ignore),
  ]);
  return {
    id: crypto.randomUUID(),
    pid: process.pid,
    host: hostname(),
    ...(startedAt !== undefined && { startedAt }),
    ...(boot !== undefined && { boot }),
    ...(namespace !== undefined && { namespace }),
  };
}

/** Undefined when the content names no holder. */
export function parseHolder(content: string): Holder | undefined {
  try {
    const holder = JSON.parse(content) as Partial<Holder> | null;
    const isWhole =
      typeof holder?.id === 'string' && typeof holder.pid === 'number' && typeof holder.host === 'string';
    return isWhole ? (holder as Holder) : undefined;
  } catch {
    return undefined;
  }
}

/** Whether `self` can tell if the holder is alive. */
export function isOfThisMachine(holder: Holder, self: Holder): boolean {
  return holder.host === self.host && holder.boot === self.boot && holder.namespace === self.namespace;
}

/** A process with the same number but another start time is another process. */
export async function isAlive({ pid, startedAt }: Holder): Promise<boolean> {
  return isProcess(pid) && (await startTimeOf(pid)) === startedAt;
}

export function isProcess(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}

/** In /proc: the 22nd field, after the name, which may hold anything. */
async function startTimeOf(pid: number): Promise<string | undefined> {
  const status = await readFile(`/proc/${pid}/stat`, 'utf8').catch(ignore);
  return status?.slice(status.lastIndexOf(')') + 2).split(' ')[19];
}

function ignore(): undefined {
  return undefined;
}
