import { DomainError } from 'temporal-event-store';
import { proxyEventStore } from 'temporal-event-store/workflow';

export * from 'temporal-event-store/workflows';

const store = proxyEventStore();

export async function openAndRefuse(streamId) {
  await store.appendToStream(streamId, [{ type: 'Opened', data: {} }], { expectedVersion: 'noStream' });
  throw new DomainError('It is open already', { reason: 'ALREADY_OPEN', details: { streamId } });
}
