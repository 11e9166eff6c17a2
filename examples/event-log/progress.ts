import { Presets, SingleBar } from 'cli-progress';
import type { OnProgress } from './watch-progress.js';

export interface ProgressBar {
  readonly update: OnProgress;
  readonly stop: () => void;
}

/** A bar on the standard error: where that is a terminal, it moves; elsewhere it is a line every few seconds. */
export function createProgressBar(): ProgressBar {
  const bar = new SingleBar(
    {
      format: '{bar} {percentage}% | {value}/{total} events | {rate} events/s | ETA {eta_formatted}',
      formatValue: (value, _options, type) =>
        type === 'value' || type === 'total' ? value.toLocaleString('en') : String(value),
      etaBuffer: 20,
      noTTYOutput: true,
      notTTYSchedule: 5_000,
    },
    Presets.shades_classic,
  );
  let start = { at: performance.now(), done: 0 };
  let isStarted = false;
  return {
    update({ done, total }) {
      const now = performance.now();
      if (!isStarted) {
        isStarted = true;
        // The time to check the log does not count, nor what was done before we watch.
        if (done < total) start = { at: now, done };
        bar.start(total, start.done, { rate: '-' });
      }
      const rate = ((done - start.done) / Math.max(1, now - start.at)) * 1_000;
      bar.update(done, { rate: Math.round(rate).toLocaleString('en') });
    },
    stop: () => {
      bar.stop();
    },
  };
}
