import { InvalidArgumentError } from '../../core/errors/invalid-argument-error.js';
import { assertOptions, integerFrom } from '../../core/options/options.js';
import { describeAppend } from './append-cases.js';
import { describeAppendConditions } from './append-condition-cases.js';
import { runWithinLimits } from './case-limits.js';
import { describeCheckpoints } from './checkpoint-cases.js';
import { describeCommitChain } from './commit-chain-cases.js';
import { describeConcurrentReaders } from './concurrent-reader-cases.js';
import { describeConditionRaces } from './condition-race-cases.js';
import { describeExactlyOnce } from './exactly-once-cases.js';
import { describeExpectedVersion } from './expected-version-cases.js';
import { describeJson } from './json-cases.js';
import { describeLargeCommits } from './large-commit-cases.js';
import { describeMultiStreamAppends } from './multi-stream-cases.js';
import { describeMultiStreamCommits } from './multi-stream-commit-cases.js';
import {
  describeNames,
  describeNamesInStatistics,
  describeNamesOfCheckpoints,
  describeNamesOfSnapshots,
} from './name-cases.js';
import { describePageBytes } from './page-bytes-cases.js';
import { describeReadAll } from './read-all-cases.js';
import { describeReadStream } from './read-stream-cases.js';
import { describeSameEvents } from './same-event-cases.js';
import { describeSettledPositions } from './settled-position-cases.js';
import { describeSnapshots } from './snapshot-cases.js';
import { describeStatistics } from './statistics-cases.js';
import type { ConformanceExpect, StoreUnderTest, Suite } from './suite.js';

/** What a store may have beside the four methods. */
export type Capability = 'appendCommits' | 'appendToStreams' | 'snapshots' | 'checkpoints' | 'statistics';

export interface ConformanceOptions {
  /** The capabilities of the store; their cases run, too. Default: none. */
  readonly capabilities?: readonly Capability[];
  /** Your test runner's; those of vitest, jest and bun fit. */
  readonly describe: (name: string, define: () => void) => unknown;
  /** Also gets a limit in milliseconds, longer than `timeout`. If your runner ignores it, set the runner's own. */
  readonly it: (name: string, run: () => Promise<void>, limit: number) => unknown;
  readonly expect: ConformanceExpect;
  /**
   * Milliseconds that a case may take, with its `createStore`. A case that takes longer fails, and says which call has not
   * answered. Default 5,000.
   */
  readonly timeout?: number;
}

const ownCases = [
  describeAppend,
  describeExpectedVersion,
  describeExactlyOnce,
  describeNames,
  describeJson,
  describeLargeCommits,
  describeReadStream,
  describeReadAll,
  describePageBytes,
  describeSameEvents,
  describeConcurrentReaders,
];

const capabilityCases: Readonly<Record<Capability, readonly ((suite: Suite) => void)[]>> = {
  appendCommits: [describeCommitChain],
  appendToStreams: [
    describeMultiStreamAppends,
    describeMultiStreamCommits,
    describeAppendConditions,
    describeConditionRaces,
    describeSettledPositions,
  ],
  snapshots: [describeSnapshots, describeNamesOfSnapshots],
  checkpoints: [describeCheckpoints, describeNamesOfCheckpoints],
  statistics: [describeStatistics, describeNamesInStatistics],
};

/**
 * Defines the conformance suite: every guarantee and option of an event store as a named case. Run it on your own
 * adapter. Each case ends, whatever the adapter does, unless it never gives the thread back.
 *
 * @param name of the store, for the report
 * @param createStore called for each case; it may return the same store each time, since cases use streams of their own
 * @throws InvalidArgumentError for an unknown capability, or a malformed `timeout`
 * @example
 * describeEventStore('MyStore', () => new MyStore(), { capabilities: ['snapshots'], describe, it, expect });
 */
export function describeEventStore(
  name: string,
  createStore: () => StoreUnderTest | Promise<StoreUnderTest>,
  { capabilities = [], describe, it, expect, timeout = 5_000 }: ConformanceOptions,
): void {
  assertOptions('describeEventStore', { timeout }, { timeout: integerFrom(1) });
  const unknown = capabilities.find((capability) => !Object.hasOwn(capabilityCases, capability));
  if (unknown !== undefined) {
    throw new InvalidArgumentError(
      `There is no capability '${unknown}'; there are: ${Object.keys(capabilityCases).join(', ')}.`,
    );
  }
  const suite: Suite = {
    describe: (group, define) => void describe(group, define),
    it: (behaviour, run) =>
      void it(
        behaviour,
        () =>
          runWithinLimits(timeout, createStore, (store) =>
            run(store, `C${Math.random().toString(36).slice(2)}`),
          ),
        // The suite's own limit comes first, since it says more.
        2 * timeout,
      ),
    expect,
  };
  describe(name, () => {
    const all = [...ownCases, ...capabilities.flatMap((capability) => capabilityCases[capability])];
    for (const describeCases of all) describeCases(suite);
  });
}
