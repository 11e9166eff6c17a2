import { Presets, SingleBar } from 'cli-progress';
import { formatCount, formatMilliseconds } from './format.js';
import type { LoadFigures } from './load-meter.js';

export interface LiveLine {
  /** @param share of the load that is done, 0 to 1 */
  readonly update: (share: number, figures: LoadFigures) => void;
  readonly stop: () => void;
}

/** A line on the standard error: where that is a terminal, it moves; elsewhere it is a line every few seconds. */
export function createLiveLine(): LiveLine {
  const bar = new SingleBar(
    {
      format: '{bar} {percentage}% | {rate} commands/s | p50 {p50} | p99 {p99} | batches of {batch}',
      barsize: 20,
      noTTYOutput: true,
      notTTYSchedule: 2_000,
    },
    Presets.shades_classic,
  );
  bar.start(100, 0, { rate: '-', p50: '-', p99: '-', batch: '-' });
  return {
    update(share, { commands, perSecond, p50, p99, batch }) {
      bar.update(Math.min(100, Math.round(share * 100)), {
        rate: formatCount(perSecond),
        p50: commands === 0 ? '-' : formatMilliseconds(p50),
        p99: commands === 0 ? '-' : formatMilliseconds(p99),
        batch: batch === 0 ? '-' : formatCount(batch),
      });
    },
    stop: () => {
      bar.stop();
    },
  };
}
