export * from 'temporal-event-store/workflows';
export { processPayment } from './command-workflow.js';
export { paymentHistory, paymentTimeline, searchPaymentEvents } from './query-workflows.js';
