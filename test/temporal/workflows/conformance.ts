import { describeEventStore } from 'temporal-event-store/testing';
import { proxyEventStore } from 'temporal-event-store/workflow';
import { minimalExpect } from '../../support/minimal-expect.js';

const cases: { readonly name: string; run(): Promise<void> }[] = [];
const store = proxyEventStore();
describeEventStore('proxyEventStore', () => store, {
  capabilities: ['appendToStreams'],
  describe: (_name, define) => {
    define();
  },
  it: (name, run) => cases.push({ name, run }),
  expect: minimalExpect,
  // For a machine that runs much else.
  timeout: 30_000,
});

/** Runs one case of the suite in the sandbox; returns why it failed. */
export async function conformanceCase(index: number, name: string): Promise<string | undefined> {
  const found = cases[index];
  if (found?.name !== name) return `Case ${index} is '${String(found?.name)}', not '${name}'.`;
  try {
    await found.run();
    return undefined;
  } catch (error) {
    return String(error instanceof Error ? error.stack : error);
  }
}
