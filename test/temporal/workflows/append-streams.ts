import { ApplicationFailure, defineSignal, isCancellation, setHandler } from '@temporalio/workflow';
import {
  AppendConditionFailedError,
  findEventStoreError,
  withEvents,
  type AppendResult,
  type MultiAppendResult,
  type SettledPosition,
  type StreamAppend,
} from 'temporal-event-store';
import { proxyEventStore } from 'temporal-event-store/workflow';
import { trimmed } from '../../support/group.js';

const store = proxyEventStore({
  startToCloseTimeout: '2 seconds',
  retry: { initialInterval: '10 milliseconds' },
});
/** Its second attempt never comes. */
const waiting = proxyEventStore({ startToCloseTimeout: '2 seconds', retry: { initialInterval: '1 hour' } });

const abort = defineSignal('abortTransfer');

function transfer(id: string): readonly StreamAppend[] {
  return [
    { streamId: `From-${id}`, events: [{ type: 'Withdrawn', data: {} }] },
    { streamId: `To-${id}`, events: [{ type: 'Deposited', data: {} }] },
  ];
}

export async function transferOnce(id: string): Promise<MultiAppendResult> {
  return store.appendToStreams(transfer(id));
}

/** Says what the workflow believes came of it when it is cancelled, or its signal aborts. */
export async function transferWhileCancelled(id: string): Promise<string> {
  const controller = new AbortController();
  setHandler(abort, () => {
    controller.abort(ApplicationFailure.create({ message: 'taken too long' }));
  });
  try {
    const { parts } = await waiting.appendToStreams(transfer(id), { signal: controller.signal });
    return `stored in ${parts.length} streams`;
  } catch (error) {
    return isCancellation(error) ? 'not stored' : (error as Error).message;
  }
}

const taken = { types: ['Taken'], tags: ['email:ann'] };
const take = { type: 'Taken', data: {}, tags: taken.tags };

/** Takes the address for a user, if nobody has taken it after a position; says what is in the way, as it catches it. */
export async function takeAddress(user: string, after: SettledPosition): Promise<object> {
  try {
    const { version } = await store.appendToStream(`User-${user}`, [take], {
      condition: { filter: taken, after },
    });
    return { version };
  } catch (error) {
    const failed = findEventStoreError(error, 'APPEND_CONDITION_FAILED');
    if (failed === undefined) throw error;
    return {
      isTyped: error instanceof AppendConditionFailedError,
      after: failed.after,
      conflict: failed.conflict,
    };
  }
}

/** The same, with what the workflow itself has read, and without catching. */
export async function takeUntaken(user: string): Promise<AppendResult | undefined> {
  const slice = await store.readAll({ filter: taken });
  if (slice.events.length > 0) return undefined;
  return store.appendToStream(`User-${user}`, [take], { condition: { filter: taken, after: slice } });
}

/** Transfers on the condition that nobody else did, after what was read; then once more on the same, which is refused. */
export async function transferUnderCondition(id: string): Promise<string | undefined> {
  const filter = { types: ['Withdrawn', 'Deposited'] };
  const condition = { filter, after: await store.readAll({ filter }) };
  await store.appendToStreams(transfer(id), { condition });
  try {
    await store.appendToStreams(transfer(id), { condition });
    return undefined;
  } catch (error) {
    return findEventStoreError(error)?.code;
  }
}

/** With the schemas of a registry in the workflow. */
export async function joinBoth(emails: readonly [string, string]): Promise<MultiAppendResult> {
  const [one, other] = emails.map((email) => [{ type: 'Joined' as const, data: { email } }]);
  return withEvents(store, trimmed).appendToStreams([
    { streamId: 'Group-1', events: one ?? [] },
    { streamId: 'Group-2', events: other ?? [] },
  ]);
}
