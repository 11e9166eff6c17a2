import { sleep } from '@temporalio/workflow';
import { createDecisionHandler } from 'temporal-event-store';
import { proxyEventStore } from 'temporal-event-store/workflow';
import { releaseSeats } from './seat-decisions.js';

const seats = createDecisionHandler(proxyEventStore(), releaseSeats);

/**
 * Waits until the time of a hold is up, through restarts and deploys, and releases it unless it was booked. Its read and its append
 * are activities, which are retried until the store answers.
 */
export async function releaseInTime(hold: string, until: string): Promise<'released' | 'nothing to release'> {
  await sleep(Math.max(1, Date.parse(until) - Date.now()));
  const { parts } = await seats.execute({ hold });
  return parts.length > 0 ? 'released' : 'nothing to release';
}
