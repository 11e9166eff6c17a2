import type { Client } from '@temporalio/client';
import type { EventStore } from 'temporal-event-store';
import { tagOf } from '../../../examples/event-log/case-event.js';
import { fingerprintOf } from '../../../examples/event-log/log-reader.js';
import type { FineLog } from '../../../examples/fines/activities.js';
import type { Totals } from '../../../examples/fines/totals.js';
import type { fineTotals } from '../../../examples/fines/workflows.js';
import { uniqueName } from '../../support/temporal.js';

export async function logOf(file: string, limit?: number): Promise<FineLog> {
  return { file, fingerprint: await fingerprintOf(file), ...(limit !== undefined && { limit }) };
}

export function totalsOf(client: Client, { fingerprint }: FineLog, taskQueue: string): Promise<Totals> {
  return client.workflow.execute<typeof fineTotals>('fineTotals', {
    workflowId: uniqueName('fine-totals'),
    taskQueue,
    args: [{ tag: tagOf(fingerprint) }],
  });
}

export async function eventsOf(store: EventStore, id: string): Promise<string[]> {
  return (await store.readStream(`Fine-${id}`)).events.map(({ type }) => type);
}
