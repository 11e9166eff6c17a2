import {
  ApplicationFailure,
  CancellationScope,
  continueAsNew,
  defineSignal,
  isCancellation,
  setHandler,
  sleep,
  workflowInfo,
} from '@temporalio/workflow';
import { findEventStoreError } from 'temporal-event-store';
import { proxyEventStore, proxyRepository } from 'temporal-event-store/workflow';
import { Account } from '../../support/account.js';

export * from 'temporal-event-store/workflows';
export * from './append-streams.js';

const store = proxyEventStore({
  startToCloseTimeout: '2 seconds',
  retry: { initialInterval: '10 milliseconds' },
});
const accounts = proxyRepository(Account);

const abort = defineSignal('abort');

function happened(step: number): { type: string; data: { step: number } } {
  return { type: 'Happened', data: { step } };
}

/** Three appends in workflow tasks of their own, one of them by a repository. */
export async function appendThrice(id: string): Promise<number> {
  await store.appendToStream(`Log-${id}`, [happened(1), happened(2)]);
  await sleep('1 millisecond');
  await accounts.execute(id, (account) => account.deposit(5));
  await sleep('1 millisecond');
  const { version } = await store.appendToStream(`Log-${id}`, [happened(3)], { expectedVersion: 2 });
  return version;
}

/** At the same time, so that most find that others were faster; and once inside a command, which says what it is told. */
export async function depositAtOnce(id: string, count: number): Promise<string> {
  await Promise.all(
    Array.from({ length: count }, () => accounts.execute(id, (account) => account.deposit(1))),
  );
  const { result } = await accounts.execute(id, () =>
    accounts
      .execute(id, (account) => account.deposit(1))
      .then(
        () => 'went through',
        (error: unknown) => (error as Error).message,
      ),
  );
  return result ?? '';
}

export async function appendOnce(id: string): Promise<boolean> {
  return (await store.appendToStream(`Log-${id}`, [happened(1)])).deduplicated;
}

export async function appendAndContinueAsNew(id: string, rounds: number): Promise<void> {
  await store.appendToStream(`Log-${id}`, [happened(rounds)]);
  if (rounds > 1) await continueAsNew<typeof appendAndContinueAsNew>(id, rounds - 1);
}

/** Fails its first two attempts after it has appended. */
export async function appendAndFail(id: string): Promise<void> {
  const { attempt } = workflowInfo();
  await store.appendToStream(`Log-${id}`, [happened(attempt)]);
  if (attempt < 3) throw ApplicationFailure.retryable('Not this time');
}

/** Its second attempt never comes. */
const waiting = proxyEventStore({ startToCloseTimeout: '2 seconds', retry: { initialInterval: '1 hour' } });

/** Says what the workflow believes came of its append. */
export async function appendWhileCancelled(
  id: string,
  { taskQueue, isPatient = false }: { readonly taskQueue?: string; readonly isPatient?: boolean } = {},
): Promise<string> {
  const target =
    taskQueue !== undefined
      ? proxyEventStore({ taskQueue, startToCloseTimeout: '200 milliseconds' })
      : isPatient
        ? waiting
        : store;
  try {
    await target.appendToStream(`Log-${id}`, [happened(1)]);
    return 'stored';
  } catch (error) {
    if (isCancellation(error)) return 'not stored';
    const unavailable = findEventStoreError(error, 'STORE_UNAVAILABLE');
    if (unavailable !== undefined) return `unknown: ${unavailable.commitId}`;
    throw error;
  }
}

/** Gives up an append when the store has been told. */
export async function abortAppend(id: string): Promise<number> {
  const controller = new AbortController();
  const append = waiting.appendToStream(`Log-${id}`, [happened(1)], { signal: controller.signal });
  append.catch(() => undefined);
  setHandler(abort, () => {
    controller.abort(ApplicationFailure.create({ message: 'taken too long' }));
  });
  return (await append).version;
}

/** Gives up a read when its signal aborts. */
export async function abortRead(): Promise<string> {
  const controller = new AbortController();
  const read = proxyEventStore({ taskQueue: 'nobody-listens-here' }).readStream('Log-1', {
    signal: controller.signal,
  });
  await sleep('10 milliseconds');
  controller.abort(ApplicationFailure.create({ message: 'taken too long' }));
  try {
    await read;
    return 'read';
  } catch (error) {
    return (error as Error).message;
  }
}

/** A scope that was cancelled before the append began. */
export async function appendInCancelledScope(id: string): Promise<string> {
  try {
    await CancellationScope.cancellable(async () => {
      CancellationScope.current().cancel();
      await store.appendToStream(`Log-${id}`, [happened(1)]);
    });
    return 'stored';
  } catch (error) {
    return isCancellation(error) ? 'cancelled' : String(error);
  }
}
