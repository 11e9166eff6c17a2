import { NativeConnection } from '@temporalio/worker';
import { bundled } from './bundled.js';

const { ADDRESS = '', NAMESPACE = '', TASK_QUEUE = '', WORKFLOWS = '', BUNDLE = '' } = process.env;

/** What a worker needs that `forkWorker` has started: the server, its queue, and its workflows, which are bundled already. */
export async function connectWorkerProcess() {
  return {
    connection: await NativeConnection.connect({ address: ADDRESS, plugins: [bundled(WORKFLOWS, BUNDLE)] }),
    namespace: NAMESPACE,
    taskQueue: TASK_QUEUE,
    workflowsPath: WORKFLOWS,
    // Else the server waits for it for 10 seconds after its death.
    stickyQueueScheduleToStartTimeout: '1 second',
  } as const;
}
