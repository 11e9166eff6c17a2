// The ready-made workflows of the release before appends to several streams.
export { eventStoreAppend, eventStoreReadAll, eventStoreReadStream } from 'temporal-event-store/workflows';
