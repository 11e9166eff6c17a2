import { setTimeout as sleep } from 'node:timers/promises';

/** @throws when the condition doesn't hold in time */
export async function waitUntil(
  holds: () => boolean | Promise<boolean>,
  what: string,
  seconds = 60,
): Promise<void> {
  const deadline = performance.now() + seconds * 1_000;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`Waited ${seconds} s in vain until ${what}`);
    await sleep(20);
  }
}
