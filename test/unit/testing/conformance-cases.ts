import { describeEventStore, type ConformanceExpect } from 'temporal-event-store/testing';
import { changed, type Change } from './sloppy-stores/sloppy-store.js';

export interface ConformanceCase {
  /** As `group > behaviour`. */
  readonly name: string;
  readonly run: () => Promise<void>;
}

/** The cases of the conformance suite, on a store in memory of which something is changed. */
export function conformanceCases(
  change: Change,
  expect: ConformanceExpect,
  timeout?: number,
): readonly ConformanceCase[] {
  const cases: ConformanceCase[] = [];
  const groups: string[] = [];
  describeEventStore('a store', () => changed(change), {
    capabilities: ['appendCommits', 'appendToStreams', 'snapshots', 'checkpoints', 'statistics'],
    describe: (name, define) => {
      groups.push(name);
      define();
      groups.pop();
    },
    it: (behaviour, run) => cases.push({ name: [...groups.slice(1), behaviour].join(' > '), run }),
    expect,
    ...(timeout !== undefined && { timeout }),
  });
  return cases;
}
