import { workflowMetrics } from 'temporal-event-store/client';
import type { Stage } from './stage.js';

/** How the workflows of the example did, by the server's visibility, which comes a moment later. */
export async function metrics({ client, taskQueue, title, say }: Stage): Promise<void> {
  title('A15, B9  Workflows by family, as far as the server has counted them');
  const families = {
    'event store': ['eventStoreAppend', 'eventStoreReadStream', 'eventStoreReadAll', 'eventStoreFindCommit'],
    command: ['eventStoreCommandLane', 'processPayment'],
    query: [
      'paymentHistory',
      'searchPaymentEvents',
      'paymentTimeline',
      'eventStoreStatistics',
      'eventStoreReplay',
    ],
  };
  for (const [family, counts] of Object.entries(await workflowMetrics(client, { families, taskQueue }))) {
    const { active, completed, failed, averageExecutionTime: time } = counts;
    const average = time === undefined ? '' : `, ${Math.round(time)} ms each`;
    say(`  ${family}: ${active} active, ${completed} completed, ${failed} failed${average}`);
  }
}
