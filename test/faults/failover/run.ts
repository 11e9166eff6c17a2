import { say } from '../console.js';
import { within } from '../wait.js';
import { scenes } from './scenes.js';

/** Servers that change places. @throws when a store doesn't go through it, or a control isn't caught */
export async function runScenes(): Promise<void> {
  for (const [name, play] of Object.entries(scenes)) {
    const began = performance.now();
    const cleanUps: (() => unknown)[] = [];
    try {
      const control = await within(
        120,
        `the scene "${name}" has ended`,
        play((cleanUp) => void cleanUps.unshift(cleanUp)),
      );
      say(`gone through: ${name} (${((performance.now() - began) / 1_000).toFixed(0)} s)\n${control}`);
    } finally {
      for (const cleanUp of cleanUps) await within(30, 'it is cleaned up', Promise.resolve(cleanUp()));
    }
  }
}
