import { isEventStoreError } from 'temporal-event-store';
import { proxyEventStore } from 'temporal-event-store/workflow';

export * from 'temporal-event-store/workflows';

const store = proxyEventStore();

/** Appends so many events that they don't travel. @returns the code of the error */
export async function appendMany(count: number): Promise<string> {
  const events = Array.from({ length: count }, () => ({ type: 'Happened', data: {} }));
  try {
    await store.appendToStream('Log-2', events);
    return 'none';
  } catch (error) {
    return isEventStoreError(error) ? String(error.code) : String(error);
  }
}
