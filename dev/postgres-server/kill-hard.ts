import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';

/** Ends a server as a crash would: all its processes by SIGKILL, gone when this returns. Linux only. */
export async function killHard(postmaster: number): Promise<void> {
  // A stopped postmaster neither forks nor sees that its children die.
  process.kill(postmaster, 'SIGSTOP');
  const killed = new Set<number>();
  for (;;) {
    const unseen = (await childrenOf(postmaster)).filter((pid) => !killed.has(pid));
    if (unseen.length === 0) break;
    for (const pid of unseen) {
      process.kill(pid, 'SIGKILL');
      killed.add(pid);
    }
  }
  process.kill(postmaster, 'SIGKILL');
  for (const pid of [...killed, postmaster]) {
    while (await isRunning(pid)) await delay(1);
  }
}

async function childrenOf(pid: number): Promise<number[]> {
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8');
  return children.split(' ').filter(Boolean).map(Number);
}

/** A zombie has let go of everything; whether it is buried depends on the machine's init. */
async function isRunning(pid: number): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => ') Z');
  return !/\) Z[^)]*$/.test(stat);
}
