import type { Client } from '@temporalio/client';
import { defaultPayloadConverter } from '@temporalio/common';
import { expect, it } from 'vitest';
import { findSigns } from '../../../src/temporal/client/projection-waits.js';

const scheduled = 1;
const started = 2;
const lastFailure = { message: "The database can't be reached." };
const waits = { waitsFor: lastFailure.message };
const at = (seconds: number, nanos = 0) => ({ seconds, nanos });
const said = (signs: object) => ({
  heartbeatDetails: { payloads: [defaultPayloadConverter.toPayload(signs)] },
});

/** Of a projection at position 5 that has one activity. */
function signsOf(activity: object) {
  const describe = () => Promise.resolve({ raw: { pendingActivities: [activity] } });
  const client = {
    workflow: { getHandle: () => ({ describe }) },
    options: { loadedDataConverter: { payloadConverter: defaultPayloadConverter, payloadCodecs: [] } },
  };
  return findSigns(client as unknown as Client, 'projection', { position: 5 });
}

it.each([
  ['waits for its next attempt', { state: scheduled }],
  ['was begun again', { state: started, lastStartedTime: at(8) }],
  [
    'was begun again after a sign of life',
    { state: started, lastStartedTime: at(8, 2), lastHeartbeatTime: at(8, 1), ...said({ position: 5 }) },
  ],
])('tells what an activity has failed of that %s', async (_, activity) => {
  expect(await signsOf({ lastFailure, ...activity })).toEqual(waits);
});

it('tells what an attempt says, and nothing of the failure before it', async () => {
  const heard = { lastFailure, state: started, lastStartedTime: at(8, 1), lastHeartbeatTime: at(8, 2) };
  expect(await signsOf({ ...heard, ...said({ position: 5 }) })).toEqual({});
  expect(await signsOf({ ...heard, ...said({ position: 5, waitsFor: 'a lock' }) })).toEqual({
    waitsFor: 'a lock',
  });
  expect(await signsOf({ ...heard, ...said({ position: 4, waitsFor: 'a lock' }) })).toEqual({});
});
