import {
  allHandlersFinished,
  condition,
  continueAsNew,
  defineUpdate,
  proxyLocalActivities,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import { createCommandHandler } from 'temporal-event-store';
import type { AggregateActivities, CommandOutcome, LaneCommand } from 'temporal-event-store/activities';
import { proxyEventStore } from 'temporal-event-store/workflow';
import { account } from './account.js';
import type { Command } from './contender.js';

export * from 'temporal-event-store/workflows';

const accounts = createCommandHandler(proxyEventStore(), account);

/** What a service without lanes writes: an activity that loads, a decision in the workflow, an activity that appends. */
export async function workflowPerCommand({ id, commandId, data }: Command): Promise<number> {
  const { version } = await accounts.execute(id, { type: 'deposit', data }, { commandId });
  return version;
}

export const deposit = defineUpdate<number, [Command]>('deposit');

const { eventStoreExecute } = proxyLocalActivities<AggregateActivities>({ startToCloseTimeout: '5 seconds' });

/**
 * The entity workflow of the textbook: an update a command, one after the other, each decided and appended by a local
 * activity. It is the activity of the lanes, with the same cache of states.
 */
export async function accountEntity(): Promise<void> {
  let last: Promise<unknown> = Promise.resolve();
  setHandler(deposit, async ({ id, commandId, data }) => {
    const command: LaneCommand = { id, commandId, name: 'deposit', payload: data };
    const execution = last.then(() => eventStoreExecute({ category: account.category, commands: [command] }));
    last = execution.catch(() => undefined);
    return versionOf((await execution)[0]);
  });
  await condition(() => workflowInfo().continueAsNewSuggested && allHandlersFinished());
  await continueAsNew();
}

function versionOf(outcome: CommandOutcome | undefined): number {
  if (outcome?.kind !== 'committed') throw new Error(`A deposit was refused: ${JSON.stringify(outcome)}`);
  return outcome.version;
}
