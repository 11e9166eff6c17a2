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

/** @throws when the promise takes longer */
export async function within<T>(seconds: number, what: string, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`Waited ${seconds} s in vain until ${what}`));
    }, seconds * 1_000);
  });
  return Promise.race([promise, late]).finally(() => {
    clearTimeout(timer);
  });
}
