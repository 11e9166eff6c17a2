import { readdirSync, readFileSync } from 'node:fs';
import { Worker } from '@temporalio/worker';
import { beforeAll, describe, expect, it } from 'vitest';
import { bundlePath, workflowsModule } from '../support/temporal.js';
import { allowWorkerLog } from '../support/worker-log.js';

// Of the history that has been tampered with; the replay may end before it comes.
allowWorkerLog(/ core: Failing workflow task/);

const folder = new URL('./histories/', import.meta.url);
const versions = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory());

interface History {
  readonly events: readonly {
    readonly workflowExecutionStartedEventAttributes?: { readonly workflowId: string };
  }[];
}

let workflowBundle: { codePath: string };
beforeAll(async () => {
  workflowBundle = { codePath: await bundlePath(workflowsModule('exactly-once')) };
});

describe.each(versions.map((entry) => entry.name))('the histories recorded with version %s', (version) => {
  const files = readdirSync(new URL(`${version}/`, folder));

  it.each(files)('replay with the present workflows: %s', async (file) => {
    const history = JSON.parse(readFileSync(new URL(`${version}/${file}`, folder), 'utf8')) as History;
    // Children are named after it.
    const { workflowId } = history.events[0]?.workflowExecutionStartedEventAttributes ?? {};
    await Worker.runReplayHistory({ workflowBundle }, history, workflowId);
  });
});

it('are found', () => {
  expect(versions.length).toBeGreaterThan(0);
});

it('a history that the workflows would not make is noticed', async () => {
  const text = readFileSync(new URL('./0.1.0/proxy-and-repository.json', folder), 'utf8');
  const tampered: unknown = JSON.parse(text.replaceAll('eventStoreAppend', 'eventStoreFindCommit'));
  await expect(Worker.runReplayHistory({ workflowBundle }, tampered)).rejects.toThrow(/[Nn]on-?determinism/);
});
