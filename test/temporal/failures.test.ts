import { WorkflowFailedError, type Client } from '@temporalio/client';
import { ApplicationFailure, type PayloadCodec } from '@temporalio/common';
import { findEventStoreError, isEventStoreError } from 'temporal-event-store';
import { createEventStoreActivities } from 'temporal-event-store/activities';
import { MemoryEventStore } from 'temporal-event-store/memory';
import { EventStorePlugin } from 'temporal-event-store/worker';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectClient, startWorker, uniqueName, workflowsModule } from '../support/temporal.js';
import { expectWorkerLog } from '../support/worker-log.js';

expectWorkerLog(
  // They need none: only their own workflows use the activities.
  /^WARN worker: The workflows of this worker lack those of temporal-event-store/,
  / failed \w+: Stream 'Account-1' was expected to be at version 7/,
  / Workflow failed Error: (Only 0 € are left|Not on a Sunday)/,
  / Workflow failed Error: (events\[0\]\.data\.at is a Date|The stream id is empty)/,
);

async function rejection(call: Promise<unknown>): Promise<unknown> {
  return call.then(
    () => expect.fail('The call went through.'),
    (error: unknown) => error,
  );
}

/** Turns the bytes round, to see that nothing of ours travels beside the codec. */
const reverse: PayloadCodec['encode'] = async (payloads) =>
  payloads.map((payload) => ({ ...payload, data: payload.data?.slice().reverse() ?? null }));
const reversing: PayloadCodec = { encode: reverse, decode: reverse };

const encodingAttributes = new URL('../support/encoding-failure-converter.mjs', import.meta.url).pathname;
const ownPayloads = new URL('../support/own-payload-converter.mjs', import.meta.url).pathname;

describe.each([
  { how: 'with activities alone', plugin: false, dataConverter: undefined },
  { how: 'with the plugin', plugin: true, dataConverter: undefined },
  {
    how: 'with a codec, and a failure converter that encodes messages',
    plugin: true,
    dataConverter: { payloadCodecs: [reversing], failureConverterPath: encodingAttributes },
  },
  {
    how: 'with a payload converter that reads nothing but its own encoding',
    plugin: false,
    dataConverter: { payloadConverterPath: ownPayloads },
  },
])('an error that a workflow does not catch, $how', ({ plugin, dataConverter }) => {
  const taskQueue = uniqueName('failures');
  const store = new MemoryEventStore();
  let client: Client;
  let stopWorker: () => Promise<void>;

  beforeAll(async () => {
    client = await connectClient(dataConverter && { dataConverter });
    const ours = plugin
      ? { plugins: [new EventStorePlugin({ store })] }
      : { activities: createEventStoreActivities({ store }) };
    stopWorker = await startWorker({
      taskQueue,
      ...ours,
      workflowsPath: workflowsModule('failures'),
      ...(dataConverter && { dataConverter }),
    });
  });
  afterAll(() => stopWorker());

  it.each([
    ['conflict', { code: 'VERSION_CONFLICT', streamId: 'Account-1', expectedVersion: 7, actualVersion: 0 }],
    ['invalidEvent', { code: 'INVALID_EVENT', path: 'events[0].data.at' }],
    ['invalidArgument', { code: 'INVALID_ARGUMENT' }],
    [
      'ruleInExecute',
      {
        code: 'DOMAIN_ERROR',
        message: 'Only 0 € are left',
        reason: 'INSUFFICIENT_FUNDS',
        details: { missing: 5 },
      },
    ],
    ['ruleInWorkflow', { code: 'DOMAIN_ERROR', reason: 'INSUFFICIENT_FUNDS', details: { missing: 5 } }],
    ['ruleOfTheWorkflow', { code: 'DOMAIN_ERROR', reason: 'CLOSED', details: ['é', { 日: 1 }] }],
  ])('fails the workflow and arrives typed: %s', async (kind, expected) => {
    const error = await rejection(
      client.workflow.execute('failUncaught', {
        taskQueue,
        workflowId: uniqueName('failing'),
        args: [kind, uniqueName('a')],
        workflowExecutionTimeout: '20 seconds',
      }),
    );

    expect(error).toBeInstanceOf(WorkflowFailedError);
    expect(isEventStoreError(error)).toBe(true);
    expect(findEventStoreError(error)).toMatchObject(expected);
    const failure = (error as WorkflowFailedError).cause;
    expect(failure).toBeInstanceOf(ApplicationFailure);
    expect(failure).toMatchObject({ nonRetryable: true });
    expect((failure as ApplicationFailure).type).toMatch(/^temporal-event-store\.\w+Error$/);
  });

  it('is not retried by a workflow that has a retry policy', async () => {
    const workflowId = uniqueName('failing');
    await rejection(
      client.workflow.execute('failUncaught', {
        taskQueue,
        workflowId,
        args: ['ruleOfTheWorkflow', 'x'],
        retry: { maximumAttempts: 5, initialInterval: '10 milliseconds' },
      }),
    );
    const { raw } = await client.workflow.getHandle(workflowId).describe();
    expect(raw.workflowExecutionInfo?.firstRunId).toBe(raw.workflowExecutionInfo?.execution?.runId);
  });

  it('fails an update, and the workflow lives', async () => {
    const id = uniqueName('a');
    await store.appendToStream(`Account-${id}`, [{ type: 'Deposited', data: { amount: 10 } }]);
    const handle = await client.workflow.start('failInUpdate', {
      taskQueue,
      workflowId: uniqueName('updates'),
      args: [id],
    });

    const error = await rejection(handle.executeUpdate('withdraw', { args: [11] }));
    expect(findEventStoreError(error)).toMatchObject({
      reason: 'INSUFFICIENT_FUNDS',
      details: { missing: 1 },
    });
    expect(await handle.executeUpdate('withdraw', { args: [4] })).toBe(6);
    await handle.signal('finish');
    expect(await handle.result()).toBe(6);
  });

  it('can be caught in the workflow by its class and code', async () => {
    const caught: unknown = await client.workflow.execute('catchTyped', {
      taskQueue,
      workflowId: uniqueName('catching'),
    });
    expect(caught).toEqual({ isTyped: true, isKnown: true, isOther: false, actualVersion: 0 });
  });
});
