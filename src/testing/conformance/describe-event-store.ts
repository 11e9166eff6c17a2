import { InvalidArgumentError } from '../../core/errors/errors.js';
import { describeAppend } from './append-cases.js';
import { describeCheckpoints } from './checkpoint-cases.js';
import { describeCommitChain } from './commit-chain-cases.js';
import { describeExactlyOnce } from './exactly-once-cases.js';
import { describeExpectedVersion } from './expected-version-cases.js';
import { describeJson } from './json-cases.js';
import { describePageBytes } from './page-bytes-cases.js';
import { describeReadAll } from './read-all-cases.js';
import { describeReadStream } from './read-stream-cases.js';
import { describeSnapshots } from './snapshot-cases.js';
import { describeStatistics } from './statistics-cases.js';
import type { ConformanceExpect, StoreUnderTest, Suite } from './suite.js';

/** What a store can do beside the four methods. */
export type Capability = 'appendCommits' | 'snapshots' | 'checkpoints' | 'statistics';

export interface ConformanceOptions {
  /** The capabilities that the store declares; their cases run too. Default: none. */
  readonly capabilities?: readonly Capability[];
  /** Of your test runner; those of vitest, jest and bun fit. */
  readonly describe: (name: string, define: () => void) => unknown;
  readonly it: (name: string, run: () => Promise<void>) => unknown;
  readonly expect: ConformanceExpect;
}

const capabilityCases: Readonly<Record<Capability, (suite: Suite) => void>> = {
  appendCommits: describeCommitChain,
  snapshots: describeSnapshots,
  checkpoints: describeCheckpoints,
  statistics: describeStatistics,
};

/**
 * The conformance suite: every guarantee and option of an event store as a named case. Run it on an adapter of your own.
 *
 * @param name of the store, for the report
 * @param createStore called for each case; it may return the same store each time, since cases use streams of their own
 * @throws InvalidArgumentError for an unknown capability
 * @example
 * describeEventStore('MyStore', () => new MyStore(), { capabilities: ['snapshots'], describe, it, expect });
 */
export function describeEventStore(
  name: string,
  createStore: () => StoreUnderTest | Promise<StoreUnderTest>,
  { capabilities = [], describe, it, expect }: ConformanceOptions,
): void {
  const unknown = capabilities.find((capability) => !Object.hasOwn(capabilityCases, capability));
  if (unknown !== undefined) {
    throw new InvalidArgumentError(
      `There is no capability '${unknown}'; there are: ${Object.keys(capabilityCases).join(', ')}.`,
    );
  }
  const suite: Suite = {
    describe: (group, define) => void describe(group, define),
    it: (behaviour, run) =>
      void it(behaviour, async () => {
        await run(await createStore(), `C${Math.random().toString(36).slice(2)}`);
      }),
    expect,
  };
  describe(name, () => {
    describeAppend(suite);
    describeExpectedVersion(suite);
    describeExactlyOnce(suite);
    describeJson(suite);
    describeReadStream(suite);
    describeReadAll(suite);
    describePageBytes(suite);
    for (const capability of capabilities) capabilityCases[capability](suite);
  });
}
