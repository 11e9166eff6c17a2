import { defineReaction, startWorkflow } from 'temporal-event-store';
import type { releaseInTime } from './release-workflow.js';
import type { SeatEvent } from './seat-event.js';

/**
 * Starts the timer of each hold, once, whoever held the seats. A timer that a service started after its append would be
 * missing if the service died in between.
 */
export const releaseHolds = defineReaction<SeatEvent>({
  name: 'release-holds',
  on: 'SeatsHeld',
  handle: ({ data: { hold, until } }) =>
    startWorkflow<typeof releaseInTime>('releaseInTime', {
      workflowId: releaseId(hold),
      args: [hold, until],
    }),
});

/** The id of the workflow that releases a hold. */
export function releaseId(hold: string): string {
  return `release-${hold}`;
}
