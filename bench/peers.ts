import { createRequire } from 'node:module';
import { dirname } from 'node:path';

/**
 * Loads a package of `bench/package.json`. By a name that the compiler doesn't follow, and with a type of our own: the
 * library's checks run where the peers are not installed.
 */
export async function loadPeer<T>(name: string): Promise<T> {
  try {
    return (await import(name)) as T;
  } catch (error) {
    throw new Error(`The peer ${name} can't be loaded. Install it: npm ci --prefix bench`, { cause: error });
  }
}

/** The folder of a package of `bench/package.json` that has no code to load. */
export function peerFolder(name: string): string {
  return dirname(createRequire(import.meta.url).resolve(`${name}/package.json`));
}
