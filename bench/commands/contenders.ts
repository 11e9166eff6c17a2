import { WithStartWorkflowOperation } from '@temporalio/client';
import { AggregateClient } from '../library.js';
import { account } from './account.js';
import type { Command, CommandContender } from './contender.js';

/** That of AggregateClient. */
const timeout = 30_000;
const nothingToClose = () => Promise.resolve();

export const workflowPerCommand: CommandContender = {
  name: 'workflow per command',
  open: (client, taskQueue) => ({
    send: (command) =>
      client.withDeadline(Date.now() + timeout, () =>
        client.workflow.execute<(command: Command) => Promise<number>>('workflowPerCommand', {
          taskQueue,
          workflowId: `${taskQueue}/${command.commandId}`,
          workflowIdConflictPolicy: 'USE_EXISTING',
          args: [command],
        }),
      ),
    close: nothingToClose,
  }),
};

export const updatePerCommand: CommandContender = {
  name: 'update per command',
  open: (client, taskQueue) => ({
    send(command) {
      const startWorkflowOperation = new WithStartWorkflowOperation('accountEntity', {
        taskQueue,
        workflowId: `${taskQueue}/${command.id}`,
        workflowIdConflictPolicy: 'USE_EXISTING',
      });
      // The update's own failure is the one that counts.
      startWorkflowOperation.workflowHandle().catch(() => undefined);
      return client.withDeadline(Date.now() + timeout, () =>
        client.workflow.executeUpdateWithStart<() => Promise<void>, number, [Command]>('deposit', {
          args: [command],
          startWorkflowOperation,
        }),
      );
    },
    close: nothingToClose,
  }),
};

export const twoLanes = lanes(2, '2 lanes');
export const byDefault = lanes(undefined, 'lanes by default');
export const lanePerAggregate = lanes('per-aggregate', 'a lane per aggregate');
export const sixteenLanes = lanes(16, '16 lanes');
export const fourLanes = lanes(4, '4 lanes');
export const oneLane = lanes(1, '1 lane');

function lanes(count: 'per-aggregate' | number | undefined, name: string): CommandContender {
  return {
    name,
    open(client, taskQueue) {
      const accounts = new AggregateClient({
        client,
        aggregate: account,
        taskQueue,
        ...(count !== undefined && { lanes: count }),
      });
      return {
        async send({ id, commandId, data }) {
          const { version } = await accounts.execute(id, 'deposit', data, { commandId, timeout });
          return version;
        },
        close: () => accounts.close(),
      };
    },
  };
}
