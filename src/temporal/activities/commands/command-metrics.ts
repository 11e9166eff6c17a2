import { metricMeter } from '@temporalio/activity';
import type { CommandOutcome } from '../../shared/command-lane.js';

/** Temporal metrics of the commands of one category, from the worker's own meter. */
export interface CommandMetrics {
  onBatch(size: number): void;
  onOutcome(outcome: CommandOutcome): void;
  onConflict(): void;
  onCacheLookup(isHit: boolean): void;
}

/** Outside an activity, nothing is counted. */
export const noMetrics: CommandMetrics = {
  onBatch: () => undefined,
  onOutcome: () => undefined,
  onConflict: () => undefined,
  onCacheLookup: () => undefined,
};

/** The metrics of the current activity. */
export function activityMetrics(category: string): CommandMetrics {
  const tags = { category };
  const commands = metricMeter.createCounter('event_store_commands', 'commands', 'Commands by outcome');
  const batchSize = metricMeter.createHistogram(
    'event_store_command_batch_size',
    'int',
    'commands',
    'Commands decided together',
  );
  const conflicts = metricMeter.createCounter(
    'event_store_command_conflicts',
    'conflicts',
    'Appends that another came before',
  );
  const lookups = metricMeter.createCounter(
    'event_store_state_cache_lookups',
    'lookups',
    'Lookups of a state by whether it was at hand',
  );
  return {
    onBatch: (size) => {
      batchSize.record(size, tags);
    },
    onOutcome: (outcome) => {
      const kind = outcome.kind === 'committed' && outcome.deduplicated ? 'deduplicated' : outcome.kind;
      commands.add(1, { ...tags, outcome: kind });
    },
    onConflict: () => {
      conflicts.add(1, tags);
    },
    onCacheLookup: (isHit) => {
      lookups.add(1, { ...tags, result: isHit ? 'hit' : 'miss' });
    },
  };
}
